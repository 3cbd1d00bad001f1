/**
 * What the application asks and what it is told. src/caseveil/web/service.py answers, in a worker of the browser or
 * behind `caseveil app --native`; a test compares the names in both files.
 *
 * The draft is the whole state of a person's decisions: the page owns it (undo is an older draft), every request
 * carries it, and it turns into release.toml and back without loss. The service keeps only what is too large or too
 * private to travel: opened files, the ledger, finished runs.
 */

export interface Draft {
  release: { name: string; version: string; title: string; publisher: string; license: string };
  promise: {
    unit: string;
    population: string;
    epsilon: number;
    delta: number | "auto";
    /** A public guess of how many people there are, for forecasts and rehearsals; 10,000 where it is not there. */
    people?: number | null;
    budget: { epsilon: number; delta: number } | null;
  };
  aggregates: { length: number; fabrication: number | "open" | "balanced" | "minimal" };
  /** The table of people first; a table of links after it, or none. */
  tables: TableDraft[];
  /** What a plan holds and no page shows. Travels along unseen. */
  rest?: object;
}

export interface TableDraft {
  name: string;
  /** Name of the opened file; an Excel sheet is "book.xlsx#sheet". */
  source: string;
  key: string | null;
  links: { to: string; key: string; at_most: number; shared_by_at_most?: number | null } | null;
  /** A second file whose columns are added to the rows of this one, by the key; key: its column. */
  join?: { source: string; key: string } | null;
  /** Rows that stay: all conditions hold. */
  where: Condition[];
  columns: ColumnDraft[];
}

export interface Condition {
  column: string;
  is: string[] | null;
  is_not: string[] | null;
}

export type Kind = "category" | "ordered" | "binned" | "multi";

export interface ColumnDraft {
  /** Name in the release. */
  name: string;
  /** Name in the file. */
  from: string;
  keep: boolean;
  /** Why it was set aside, in English; "" where it was not. why: the same, to be said in the page's language. */
  reason: string;
  why?: Said | null;
  kind: Kind;
  /** Declared public values; null: discovered privately, at a price. */
  values: string[] | null;
  /** Edges of a binned column: numbers, or dates as 2026-03-31. */
  bins: (number | string)[] | null;
  delimiter: string;
  at_most: number | null;
  missing: string[];
  outside: "refuse" | "missing";
  /** Cells rewritten before anything else is looked at; "" makes a cell missing. */
  recode: Record<string, string>;
  /** A part of a date or number taken before binning; null: the cell itself. */
  derive: "year" | "month" | "quarter" | "whole" | null;
  /** Countries, by name or code, to UN regions; instead of derive. Their names are the values unless others stand there. */
  group?: "un-region" | "un-subregion" | null;
  /** Names of the bins, where a plan gives them names of its own. */
  labels?: string[] | null;
  meaning: string;
}

export interface Grid {
  columns: string[];
  rows: string[][];
}

/** A sentence by its code, and what it puts in; src/caseveil/records/said.py has all codes, and the same in English. */
export interface Said {
  code: string;
  values: Record<string, SaidValue>;
}

export type SaidValue = string | number | Said | Said[] | SaidWords;

/** Words to quote; more: how many follow them unsaid. */
export interface SaidWords {
  words: string[];
  joint: "or" | "and";
  more: number;
}

export interface Remark {
  /** "stop" refuses the release, "private" may never be published as it is, "price" costs accuracy, "note" informs. */
  level: "stop" | "private" | "price" | "note";
  table: string;
  column: string;
  /** In English. said: the same, to be said in the page's language; null for errors. */
  message: string;
  said?: Said | null;
}

export interface OpenedTable {
  name: string;
  source: string;
  rows: number;
  preview: Grid;
}

export interface Opened {
  tables: OpenedTable[];
  draft: Draft;
  remarks: Remark[];
}

export interface Suggestion {
  label: string;
  said?: Said | null;
  /** Fields of the column to replace. */
  change: Partial<ColumnDraft>;
  remark: Remark | null;
}

export interface ColumnView {
  /** Commonest first, 200 at most; private, never to be published. */
  values: { value: string; people: number }[];
  distinct: number;
  missing: number;
  smallest: string;
  largest: string;
  suggestions: Suggestion[];
}

export interface Prepared {
  before: Grid;
  after: Grid;
  rows: number;
  kept: number;
  /** What the steps do, in order, one sentence each. */
  recipe: { table: string; column: string; sentence: string; said?: Said | null }[];
  remarks: Remark[];
}

export interface Risk {
  people: number;
  k: number;
  length: number;
  /** People in a combination of at most `length` columns held by fewer than k people. */
  singled: number;
  by_length: { length: number; singled: number }[];
  /** How many would still be singled out without this column; one without a name is the number of rows of the table. */
  columns: { table: string; column: string; singled_without: number }[];
  rare: { columns: { table: string; column: string }[]; values: string[]; people: number }[];
  /** without: how many would still be singled out without the column. how: what could be coarser in it. */
  advice: { table: string; column: string; without: number; how: "bins" | "items" | "few" | "values" }[];
}

export interface Forecast {
  people: number;
  delta: number;
  /** within: half of the 95% interval of a count; typical: its mean error; both in people. */
  rows: { epsilon: number; length: number; within: number; typical: number }[];
  /** What the forecast had to assume. */
  sentences: string[];
  said?: Said[];
}

export interface LedgerView {
  exists: boolean;
  population: string;
  releases: { name: string; version: string; date: string; sentence: string }[];
  spent: { epsilon: number; delta: number } | null;
  budget: { epsilon: number; delta: number } | null;
  /** What the draft would bring the total to, and why it would be refused ("" if not). */
  after: { epsilon: number; delta: number } | null;
  refused: string;
  /** What to be wary of in this ledger. */
  notes: string[];
}

export interface Run {
  id: string;
  label: string;
  /** "twin": made from an invented twin, nothing charged, nothing to publish. */
  of: "rows" | "twin";
  epsilon: number;
  delta: number;
  length: number;
  seconds: number;
  sentence: string;
  people: number;
  published: number;
  /** Agreement of records with what was measured, by length, from protected numbers only. */
  quality: { table: string; length: number; error: number; expected: number }[];
}

export interface Comparison {
  /** Against the sensitive rows: private, never to be published. */
  rows: { run: string; table: string; length: number; counts_error: number; records_error: number; made_up: number; lost: number }[];
}

export interface Bytes {
  name: string;
  bytes: Uint8Array;
}

export interface Progress {
  stage: string;
  fraction: number | null;
  seconds_left: number | null;
}

export interface Failure {
  error: { message: string; kind: "input" | "budget" | "cancelled" | "memory" | "fault" };
}

/** Request name -> [fields, answer]. */
export interface Requests {
  hello: [{}, { version: string; engine: "browser" | "native"; rows_limit: number }];
  open: [{ files: Bytes[] }, Opened];
  example: [{ linked: boolean }, Opened];
  column: [{ draft: Draft; table: string; column: string }, ColumnView];
  prepare: [{ draft: Draft; table: string }, Prepared];
  risk: [{ draft: Draft; k: number; length: number }, Risk];
  forecast: [{ draft: Draft; epsilons: number[] }, Forecast];
  check: [{ draft: Draft }, { remarks: Remark[] }];
  to_toml: [{ draft: Draft }, { toml: string }];
  from_toml: [{ toml: string }, { draft: Draft; remarks: Remark[] }];
  ledger_open: [{ file: Bytes | null; draft: Draft }, LedgerView];
  ledger_view: [{ draft: Draft }, LedgerView];
  ledger_file: [{}, Bytes];
  rehearse: [{ draft: Draft; label: string }, Run];
  release: [{ draft: Draft; label: string }, Run];
  runs: [{}, { runs: Run[] }];
  compare: [{ runs: string[] }, Comparison];
  explorer: [{ run: string }, { html: string }];
  bundle: [{ run: string }, Bytes];
  report: [{ run: string; attacks: boolean }, Bytes];
  close: [{}, {}];
}

export type Name = keyof Requests;
