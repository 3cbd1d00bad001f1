/** The engine as the page sees it, in whatever place it runs. */

import type { Bytes, Failure, Name, Progress, Requests } from "../contract";

export type Fields<N extends Name> = Requests[N][0];
export type Answer<N extends Name> = Requests[N][1];

export class Refused extends Error {
  constructor(
    message: string,
    readonly kind: Failure["error"]["kind"],
  ) {
    super(message);
  }
}

export interface Engine {
  /** Throws Refused, with the engine's own sentence. */
  ask<N extends Name>(name: N, fields: Fields<N>, progress?: (now: Progress) => void): Promise<Answer<N>>;
  /** Stops what runs. What was asked is refused as cancelled. True where the engine forgot its files and runs. */
  cancel(): Promise<boolean>;
}

/** What the engine tells without being asked. */
export interface Listener {
  /** null: ready. */
  loading(stage: "python" | "numbers" | "caseveil" | null): void;
  /** A charge was written; resolves when the ledger is kept. */
  charged(ledger: Bytes): void;
}
