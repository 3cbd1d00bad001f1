/** Builds the page: one HTML file with its script and style inside, and places for policy, title and data. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = dirname(fileURLToPath(import.meta.url));
const NAME = "explorer_template.html";

/** Observable Plot writes a style element into every figure, which the page's policy refuses; src/style has the rules. */
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

/** Licences of what went into the script, each text once, with the packages under it. */
function licences(modules: Iterable<string>): string {
  const found = new Map<string, Set<string>>();
  for (const id of modules) {
    const at = /^(.*[\\/]node_modules[\\/](@[^\\/]+[\\/][^\\/]+|[^\\/]+))[\\/]/.exec(id.replace(/^\0/, "").replace(/\?.*$/, ""));
    if (!at) continue;
    const file = ["LICENSE", "LICENSE.txt", "LICENSE.md", "license"].map((name) => join(at[1]!, name)).find((path) => existsSync(path));
    if (!file) throw new Error(`${at[2]} has no licence file`);
    const text = readFileSync(file, "utf8").replace(/\r\n/g, "\n").trim().replace(/--+/g, "-");
    found.set(text, (found.get(text) ?? new Set()).add(at[2]!.replace("\\", "/")));
  }
  const parts = [...found].map(([text, names]) => `${[...names].sort().join(", ")}\n\n${text}`);
  return parts.sort().join("\n\n----\n\n".replace(/--+/g, "***"));
}

function onePage(): Plugin {
  return {
    name: "one-page",
    enforce: "post",
    generateBundle(_, bundle) {
      let script = "";
      let style = "";
      let notices = "";
      for (const [file, part] of Object.entries(bundle)) {
        if (part.type === "chunk") {
          script += part.code;
          notices = licences(Object.keys(part.modules).sort());
        } else if (file.endsWith(".css")) style += String(part.source);
        else this.error(`${file} would be a second file`);
        delete bundle[file];
      }
      // Nothing in the script may look like the end of its element, or like a place to be filled.
      script = script.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--").trim();
      const fill: Record<string, string> = { style: style.trim(), script, notices };
      const source = readFileSync(join(here, "index.html"), "utf8").replace(/\/\* (style|script|notices) \*\//g, (_, name: string) => fill[name]!);
      for (const place of ["@@POLICY@@", "@@TITLE@@", "@@DATA@@"]) {
        if (source.split(place).length !== 2) this.error(`${place} must be in the page once`);
      }
      this.emitFile({ type: "asset", fileName: NAME, source });
    },
  };
}

export default defineConfig({
  root: here,
  plugins: [plotWithoutStyle(), onePage()],
  esbuild: { charset: "utf8", legalComments: "none" },
  build: {
    target: ["chrome103", "firefox113", "safari16.4"],
    outDir: join(here, "../../src/caseveil/release"),
    emptyOutDir: false,
    copyPublicDir: false,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 3000,
    rollupOptions: {
      input: join(here, "src/main.ts"),
      output: { format: "iife", inlineDynamicImports: true, entryFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts", "src/**/*.test.ts"] },
});
