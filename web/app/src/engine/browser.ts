/** The engine in a worker of this page. */

import type { Name, Progress } from "../contract";
import { type Answer, type Engine, type Fields, type Listener, Refused } from "./engine";
import { type Ask, type Begin, isFailure, type Said } from "./messages";

interface Waiting {
  resolve: (answer: never) => void;
  reject: (reason: Refused) => void;
  progress: ((now: Progress) => void) | undefined;
}

export class BrowserEngine implements Engine {
  private worker: Worker | null = null;
  private ready: Promise<void> | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  private readonly flag: SharedArrayBuffer | null;

  constructor(
    private readonly site: string,
    private readonly listener: Listener,
    private readonly words: { broken: () => string; cancelled: () => string },
    private readonly make: () => Worker = () => new Worker(new URL("worker.js", this.site), { type: "module", name: "caseveil" }),
  ) {
    this.flag = globalThis.crossOriginIsolated ? new SharedArrayBuffer(4) : null;
  }

  private start(): Promise<void> {
    return (this.ready ??= new Promise<void>((resolve, reject) => {
      const worker = this.make();
      this.worker = worker;
      worker.addEventListener("message", ({ data }: MessageEvent<Said>) => {
        if (worker !== this.worker && !("ledger" in data)) return;
        if ("ready" in data) {
          this.listener.loading(null);
          resolve();
        }
        else if ("failed" in data) reject(new Refused(data.failed, "fault"));
        else if ("loading" in data) this.listener.loading(data.loading);
        else if ("ledger" in data) this.listener.charged(data.ledger);
        else if ("progress" in data) this.waiting.get(data.id)?.progress?.(data.progress);
        else this.settle(data.id, data.answer);
      });
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        if (worker !== this.worker) return;
        reject(new Refused(this.words.broken(), "fault"));
        this.stop(new Refused(this.words.broken(), "memory"));
      });
      worker.postMessage({ begin: true, site: this.site, flag: this.flag } satisfies Begin);
    }));
  }

  async ask<N extends Name>(name: N, fields: Fields<N>, progress?: (now: Progress) => void): Promise<Answer<N>> {
    await this.start();
    const id = ++this.last;
    return new Promise<Answer<N>>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker!.postMessage({ id, name, fields } satisfies Ask);
    });
  }

  /** Shared memory where there is some; otherwise the worker is ended, and the next question starts another. */
  async cancel(): Promise<boolean> {
    if (this.flag) {
      const idle = Promise.allSettled([...this.waiting.values()].map((one) => new Promise<void>((done) => this.onSettled(one, done))));
      Atomics.store(new Int32Array(this.flag), 0, 1);
      await idle;
      Atomics.store(new Int32Array(this.flag), 0, 0);
      return false;
    }
    // What the worker said before it ends must be heard: a charge may be on its way.
    await new Promise((done) => setTimeout(done, 50));
    this.stop(new Refused(this.words.cancelled(), "cancelled"));
    return true;
  }

  private onSettled(one: Waiting, done: () => void): void {
    const { resolve, reject } = one;
    one.resolve = (answer) => (resolve(answer), done());
    one.reject = (reason) => (reject(reason), done());
  }

  private stop(reason: Refused): void {
    this.worker?.terminate();
    this.worker = null;
    this.ready = null;
    for (const one of this.waiting.values()) one.reject(reason);
    this.waiting.clear();
  }

  private settle(id: number, answer: object): void {
    const one = this.waiting.get(id);
    this.waiting.delete(id);
    if (isFailure(answer)) one?.reject(new Refused(answer.error.message, answer.error.kind));
    else one?.resolve(answer as never);
  }
}
