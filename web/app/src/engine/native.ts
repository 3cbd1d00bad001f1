/** The engine behind `caseveil app --native`, on this device: answers come as lines of JSON. */

import type { Bytes, Failure, Name, Progress } from "../contract";
import { type Answer, type Engine, type Fields, type Listener, Refused } from "./engine";

interface Line {
  progress?: Progress;
  ledger?: Bytes;
  answer?: object;
  error?: Failure["error"];
}

const CHUNK = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

export function pack(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one instanceof Uint8Array ? { $bytes: toBase64(one) } : one));
}

export function unpack(text: string): unknown {
  return JSON.parse(text, (_, one: unknown) => {
    if (typeof one !== "object" || one === null || !("$bytes" in one)) return one;
    return Uint8Array.from(atob(String(one.$bytes)), (letter) => letter.charCodeAt(0));
  });
}

export class NativeEngine implements Engine {
  constructor(
    private readonly site: string,
    private readonly token: string,
    private readonly listener: Listener,
    private readonly words: { gone: () => string },
    private readonly get: typeof fetch = (...all) => fetch(...all),
  ) {}

  async ask<N extends Name>(name: N, fields: Fields<N>, progress?: (now: Progress) => void): Promise<Answer<N>> {
    const response = await this.post(name, fields);
    if (!response.ok || !response.body) throw await this.problem(response);
    let answer: object | undefined;
    for await (const text of lines(response.body, () => new Refused(this.words.gone(), "fault"))) {
      const line = unpack(text) as Line;
      if (line.progress) progress?.(line.progress);
      if (line.ledger) this.listener.charged(line.ledger);
      if (line.error) throw new Refused(line.error.message, line.error.kind);
      if (line.answer) answer = line.answer;
    }
    if (!answer) throw new Refused(this.words.gone(), "fault");
    return answer as Answer<N>;
  }

  async cancel(): Promise<boolean> {
    await this.post("cancel", {});
    return false;
  }

  private async post(name: string, fields: object): Promise<Response> {
    const headers = { "X-Caseveil-Token": this.token, "Content-Type": "application/json" };
    try {
      return await this.get(new URL(`api/${name}`, this.site), { method: "POST", headers, body: pack(fields), cache: "no-store" });
    } catch {
      throw new Refused(this.words.gone(), "fault");
    }
  }

  private async problem(response: Response): Promise<Refused> {
    try {
      const { error } = JSON.parse(await response.text()) as Failure;
      return new Refused(error.message, error.kind);
    } catch {
      return new Refused(this.words.gone(), "fault");
    }
  }
}

async function* lines(body: ReadableStream<Uint8Array>, gone: () => Refused): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch(() => Promise.reject(gone()));
    rest += decoder.decode(value, { stream: !done });
    const parts = rest.split("\n");
    rest = parts.pop()!;
    yield* parts.filter((part) => part !== "");
    if (done) break;
  }
  if (rest.trim() !== "") yield rest;
}
