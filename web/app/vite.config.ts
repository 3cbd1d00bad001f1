/**
 * Builds the application in three passes: the page, its worker (--mode worker) and its service worker (--mode sw).
 *
 * The policy for content is written into the page and into policy.txt, which the server sends as a header. It knows the
 * explorer's script and style by hash, because the explorer of a release is shown inside the application.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = dirname(fileURLToPath(import.meta.url));
const EXPLORER = join(here, "../../src/caseveil/release/explorer_template.html");

/** 'sha256-…' of every script (data are none) and style in the explorer. */
function hashes(tag: "script" | "style"): string {
  const found: string[] = [];
  for (const [, attributes, source] of readFileSync(EXPLORER, "utf8").matchAll(new RegExp(`<${tag}\\b([^>]*)>([\\s\\S]*?)</${tag}>`, "g"))) {
    if (!attributes!.includes("application/json")) found.push(`'sha256-${createHash("sha256").update(source!).digest("base64")}'`);
  }
  if (found.length === 0) throw new Error(`the explorer has no ${tag}: build web/explorer first`);
  return found.join(" ");
}

function policy(): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'wasm-unsafe-eval' ${hashes("script")}`,
    `style-src 'self' ${hashes("style")}`,
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-src blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function withPolicy(): Plugin {
  return {
    name: "with-policy",
    apply: "build",
    transformIndexHtml: (page) => page.replace("@@POLICY@@", policy()),
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "policy.txt", source: `${policy()}\n` });
    },
  };
}

/** Licences of what others wrote and the page includes, each text once with the packages under it, in licences.txt. */
function withLicences(): Plugin {
  return {
    name: "with-licences",
    apply: "build",
    generateBundle(_, bundle) {
      const found = new Map<string, Set<string>>();
      const modules = Object.values(bundle).flatMap((part) => (part.type === "chunk" ? Object.keys(part.modules) : []));
      for (const id of modules) {
        const at = /^(.*[\\/]node_modules[\\/](@[^\\/]+[\\/][^\\/]+|[^\\/]+))[\\/]/.exec(id.replace(/^\0/, "").replace(/\?.*$/, ""));
        if (!at) continue;
        const file = ["LICENSE", "LICENSE.txt", "LICENSE.md", "license"].map((name) => join(at[1]!, name)).find((path) => existsSync(path));
        if (!file) throw new Error(`${at[2]} has no licence file`);
        const text = readFileSync(file, "utf8").replace(/\r\n/g, "\n").trim();
        found.set(text, (found.get(text) ?? new Set()).add(at[2]!.replace("\\", "/")));
      }
      const source = [...found].map(([text, names]) => `${[...names].sort().join(", ")}\n\n${text}\n`).sort().join("\n----\n\n");
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}

/** Observable Plot writes a style element into every figure, which the policy refuses; src/style has the rules. */
function plotWithoutStyle(): Plugin {
  return {
    name: "plot-without-style",
    transform(code, id) {
      if (!/@observablehq[\\/]plot[\\/]src[\\/]plot\.js$/.test(id)) return null;
      const changed = code.replace(/\.call\(\(svg\) =>\s*\/\/[^\n]*\n\s*svg\.append\("style"\)[\s\S]*?`\s*\)\s*\)/, "");
      if (changed === code) this.error("the style element of Observable Plot is not where it was");
      return { code: changed, map: null };
    },
  };
}

/** One file at a fixed place: a worker's address decides what it may see, and the site's list names it. */
function single(entry: string, name: string): object {
  return {
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: join(here, entry), formats: ["es"], fileName: () => name },
  };
}

const ENTRIES: Record<string, object> = {
  worker: single("../worker/worker.ts", "worker.js"),
  sw: single("src/sw.ts", "sw.js"),
};

export default defineConfig(({ mode }) => ({
  root: here,
  base: "./",
  plugins: mode in ENTRIES ? [] : [plotWithoutStyle(), withPolicy(), withLicences()],
  esbuild: { charset: "utf8", legalComments: "none" },
  build: {
    target: ["chrome103", "firefox113", "safari16.4"],
    outDir: join(here, "dist"),
    emptyOutDir: true,
    modulePreload: false,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    minify: "esbuild",
    ...(ENTRIES[mode] ?? {}),
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
}));
