/** What the page and its worker say to each other. */

import type { Bytes, Failure, Progress } from "../contract";

export interface Ask {
  id: number;
  name: string;
  fields: object;
}

/** Sent once, before anything is asked. `flag` is shared where the page is isolated: 1 there means cancel. */
export interface Begin {
  begin: true;
  site: string;
  flag: SharedArrayBuffer | null;
}

export type Said =
  | { ready: true }
  | { failed: string }
  | { loading: "python" | "numbers" | "caseveil" }
  | { id: number; progress: Progress }
  /** The ledger as it is after a charge, before anything was made from it. */
  | { ledger: Bytes }
  | { id: number; answer: object | Failure };

export function isFailure(answer: object): answer is Failure {
  return "error" in answer;
}
