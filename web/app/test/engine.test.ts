import { expect, test, vi } from "vitest";
import type { Bytes, Progress } from "../src/contract";
import { BrowserEngine } from "../src/engine/browser";
import { Refused } from "../src/engine/engine";
import { Latest } from "../src/engine/latest";
import { NativeEngine, pack, unpack } from "../src/engine/native";

const words = { broken: () => "broken", cancelled: () => "cancelled", gone: () => "gone" };

class FakeWorker extends EventTarget {
  sent: Record<string, unknown>[] = [];
  ended = false;
  postMessage(message: Record<string, unknown>): void {
    this.sent.push(message);
    if ("begin" in message) queueMicrotask(() => this.say({ ready: true }));
  }
  terminate(): void {
    this.ended = true;
  }
  say(data: object): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

function browser(): { engine: BrowserEngine; workers: FakeWorker[]; charged: Bytes[] } {
  const workers: FakeWorker[] = [];
  const charged: Bytes[] = [];
  const make = (): Worker => {
    workers.push(new FakeWorker());
    return workers.at(-1) as unknown as Worker;
  };
  return { engine: new BrowserEngine("http://site/", { loading: () => undefined, charged: (one) => charged.push(one) }, words, make), workers, charged };
}

const turn = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

test("a worker answers each question once, with its progress and its charges", async () => {
  const { engine, workers, charged } = browser();
  const told: Progress[] = [];
  const first = engine.ask("hello", {});
  const second = engine.ask("rehearse", { draft: null as never, label: "x" }, (now) => told.push(now));
  await turn();
  const [one, two] = workers[0]!.sent.slice(1) as { id: number }[];
  workers[0]!.say({ id: two!.id, progress: { stage: "a", fraction: 0.5, seconds_left: 1 } });
  workers[0]!.say({ ledger: { name: "l", bytes: new Uint8Array([1]) } });
  workers[0]!.say({ id: two!.id, answer: { error: { message: "no", kind: "budget" } } });
  workers[0]!.say({ id: one!.id, answer: { version: "1" } });
  await expect(first).resolves.toEqual({ version: "1" });
  await expect(second).rejects.toMatchObject({ message: "no", kind: "budget" });
  expect([told.length, charged.length, workers.length]).toEqual([1, 1, 1]);
});

test("without shared memory a cancelled worker is ended and the next question starts another", async () => {
  const { engine, workers } = browser();
  const asked = engine.ask("hello", {});
  await turn();
  const refused = expect(asked).rejects.toMatchObject({ kind: "cancelled" });
  expect(await engine.cancel()).toBe(true);
  await refused;
  expect(workers[0]!.ended).toBe(true);
  const again = engine.ask("hello", {});
  await turn();
  workers[1]!.say({ id: (workers[1]!.sent[1] as { id: number }).id, answer: {} });
  await expect(again).resolves.toEqual({});
});

test("what an ended worker still says ends no other", async () => {
  const { engine, workers, charged } = browser();
  const asked = expect(engine.ask("hello", {})).rejects.toMatchObject({ kind: "cancelled" });
  await turn();
  await engine.cancel();
  await asked;
  const again = engine.ask("hello", {});
  await turn();
  workers[0]!.dispatchEvent(new Event("error"));
  workers[0]!.say({ ledger: { name: "l", bytes: new Uint8Array([1]) } });
  workers[1]!.say({ id: (workers[1]!.sent[1] as { id: number }).id, answer: {} });
  await expect(again).resolves.toEqual({});
  expect([workers[1]!.ended, charged.length]).toEqual([false, 1]);
});

test("a worker that cannot start refuses, and the next question tries again", async () => {
  const { engine, workers } = browser();
  const asked = engine.ask("hello", {});
  workers[0]!.say({ failed: "numpy is missing on the site" });
  await expect(asked).rejects.toThrow("numpy is missing");
});

test("bytes travel in JSON and come back", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  const back = unpack(pack({ files: [{ name: "a", bytes }], none: null })) as { files: Bytes[]; none: null };
  expect(back.files[0]!.bytes).toEqual(bytes);
  expect(back.none).toBeNull();
});

function native(text: string, status = 200): { engine: NativeEngine; get: ReturnType<typeof vi.fn>; charged: Bytes[] } {
  const charged: Bytes[] = [];
  const parts = text.match(/[\s\S]{1,7}/g) ?? [];
  const body = new ReadableStream<Uint8Array>({
    start(control) {
      for (const part of parts) control.enqueue(new TextEncoder().encode(part));
      control.close();
    },
  });
  const get = vi.fn(async () => new Response(body, { status }));
  return { engine: new NativeEngine("http://127.0.0.1:1/", "secret", { loading: () => undefined, charged: (one) => charged.push(one) }, words, get as typeof fetch), get, charged };
}

test("lines of the native engine are read in whatever pieces they come", async () => {
  const { engine, get, charged } = native('{"progress":{"stage":"é","fraction":0.1,"seconds_left":null}}\n{"ledger":{"name":"l","bytes":{"$bytes":"AQ=="}}}\n{"answer":{"html":"x"}}\n');
  const told: Progress[] = [];
  expect(await engine.ask("explorer", { run: "1" }, (now) => told.push(now))).toEqual({ html: "x" });
  expect([told[0]!.stage, charged[0]!.bytes]).toEqual(["é", new Uint8Array([1])]);
  const [url, options] = get.mock.calls[0] as unknown as [URL, RequestInit];
  expect([url.href, (options.headers as Record<string, string>)["X-Caseveil-Token"]]).toEqual(["http://127.0.0.1:1/api/explorer", "secret"]);
});

test("what the native engine refuses is told in its words, and its end in ours", async () => {
  await expect(native('{"error":{"message":"too much","kind":"budget"}}\n').engine.ask("hello", {})).rejects.toMatchObject({ message: "too much", kind: "budget" });
  await expect(native("").engine.ask("hello", {})).rejects.toThrow("gone");
  await expect(native("<html>", 500).engine.ask("hello", {})).rejects.toBeInstanceOf(Refused);
});

test("of live questions that wait only the newest is asked, and only its answer is shown", async () => {
  const latest = new Latest();
  const asked: number[] = [];
  const shown: number[] = [];
  for (const n of [1, 2, 3]) {
    latest.ask(
      async () => {
        asked.push(n);
        await turn();
        return n;
      },
      (answer) => shown.push(answer),
      () => undefined,
    );
  }
  await turn();
  await turn();
  await turn();
  expect([asked, shown]).toEqual([[1, 3], [3]]);
});
