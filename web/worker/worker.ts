/**
 * The engine in a worker: Pyodide, numpy and Caseveil, all served by the site itself.
 *
 * Whoever asks gets the answer of caseveil.web.service.Session, the same that answers behind `caseveil app --native`.
 */

import type { Bytes, Progress } from "../app/src/contract";
import type { Ask, Begin, Said } from "../app/src/engine/messages";

interface Pyodide {
  unpackArchive(bytes: ArrayBuffer, format: "wheel"): void;
  runPython(code: string): unknown;
  toPy(value: unknown): unknown;
  globals: { get(name: string): unknown; set(name: string, value: unknown): void };
}

interface Site {
  wheels: string[];
}

/** Answers travel as JSON with the files beside it: Python's None becomes null, as the contract says. */
const START = `
import json as _json
from pyodide.ffi import to_js as _to_js
from caseveil.web.service import Session as _Session

_session = _Session(charged=lambda name, content: _js_charged(name, _to_js(bytes(content))))

def _taken(value):
    if isinstance(value, dict):
        return {key: _taken(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_taken(one) for one in value]
    return bytes(value) if isinstance(value, memoryview) else value

def _answer(name, fields, progress, cancelled):
    files = []
    def given(value):
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError("an answer holds what JSON cannot say")
        files.append(_to_js(bytes(value)))
        return {"$file": len(files) - 1}
    answer = _session.answer(name, _taken(fields), progress=lambda now: progress(_json.dumps(now)),
                             cancelled=lambda: bool(cancelled()))
    return _to_js([_json.dumps(answer, default=given), files], depth=2)
`;

const say = (said: Said, move: Transferable[] = []): void => (self as unknown as Worker).postMessage(said, move);

type Answering = (name: string, fields: unknown, progress: (now: string) => void, cancelled: () => boolean) => [string, Uint8Array[]];

let answer: Answering | null = null;
let python: Pyodide | null = null;
let flag: Int32Array | null = null;

async function fetched(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname.split("/").pop()!} is missing on the site`);
  return response;
}

async function begin(site: string): Promise<void> {
  say({ loading: "python" });
  const listed = (async () => {
    const list = (await (await fetched(new URL("site-files.json", site))).json()) as Site;
    return Promise.all(list.wheels.map(async (wheel) => (await fetched(new URL(wheel, site))).arrayBuffer()));
  })();
  const indexURL = new URL("pyodide/", site).href;
  const module = (await import(/* @vite-ignore */ `${indexURL}pyodide.mjs`)) as {
    loadPyodide(options: { indexURL: string; fullStdLib?: boolean }): Promise<Pyodide>;
  };
  python = await module.loadPyodide({ indexURL });
  say({ loading: "numbers" });
  for (const wheel of await listed) python.unpackArchive(wheel, "wheel");
  say({ loading: "caseveil" });
  python.globals.set("_js_charged", (name: string, bytes: Uint8Array) => {
    say({ ledger: { name, bytes } satisfies Bytes });
  });
  python.runPython(START);
  answer = python.globals.get("_answer") as Answering;
  say({ ready: true });
}

/** The last line of a fault of Python is of our own making or names a kind of error; what stands above may hold more. */
function kindOf(error: unknown): { message: string; kind: "memory" | "fault" } {
  const text = String((error as Error).message ?? error);
  const memory = /MemoryError|out of memory|allocation failed|Cannot enlarge memory/i.test(text);
  return memory
    ? { message: "The table is too large for the browser's memory. Run caseveil app --native on this device instead.", kind: "memory" }
    : { message: "The engine stopped unexpectedly. Nothing was published. Reload the page and try again.", kind: "fault" };
}

self.addEventListener("message", ({ data }: MessageEvent<Ask | Begin>) => {
  if ("begin" in data) {
    flag = data.flag ? new Int32Array(data.flag) : null;
    begin(data.site).catch((error: unknown) => say({ failed: String((error as Error).message ?? error).split("\n").at(-1)! }));
    return;
  }
  const { id, name, fields } = data;
  try {
    const progress = (now: string): void => say({ id, progress: JSON.parse(now) as Progress });
    const cancelled = (): boolean => flag !== null && Atomics.load(flag, 0) === 1;
    const [text, files] = answer!(name, python!.toPy(fields), progress, cancelled);
    const filled = JSON.parse(text, (_, one: unknown) =>
      typeof one === "object" && one !== null && "$file" in one ? files[Number(one.$file)] : one,
    ) as object;
    say({ id, answer: filled });
  } catch (error) {
    say({ id, answer: { error: kindOf(error) } });
  }
});
