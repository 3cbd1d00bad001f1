/** The data inside the page, as release/explorer.py writes them (format 2). */

import type { Report } from "./private/report";

export const FORMAT = 2;

export interface Column {
  name: string;
  /** category, ordered, binned or multi, as the plan calls it. */
  kind: string;
  meaning: string;
  values: string[];
  /** A record can have several values. */
  set: boolean;
  /** Values are years, months or dates, in order. */
  time: boolean;
}

export interface Spread {
  /** Counts in the records, ascending. */
  size: number[];
  /** Half-width of a 95% interval around a count of that size. */
  half: number[];
}

export interface TableData {
  name: string;
  rows: number;
  columns: Column[];
  /** Base64 of raw deflate: all columns, one after the other. */
  records: string;
  /** Linked table: base64 of raw deflate of one 32-bit number a row, the position of its record in the other table. */
  of?: string;
  /** Published combinations: values numbered through all columns of the table. */
  combinations: number[][];
  count: number[];
  lower: number[];
  upper: number[];
  spread: Spread;
}

export interface LinkData {
  of: string[];
  /** JSON objects: "table.column" to value. */
  combination: string[];
  count: number[];
  lower: number[];
  upper: number[];
  /** The linked table, and the one that it belongs to. */
  table: string;
  to: string;
  key: string;
  /** Most links that one record of `to` can have. */
  most: number;
  /** Bands of counts in the linked records, by what is counted. */
  spread: Record<string, Spread>;
}

export interface StatementData {
  sentence: string;
  level: number;
  /** Longest combination that was counted and published. */
  length: number;
  threshold: string;
  document: Record<string, unknown>;
  /** Parts of STATEMENT.md, item by item, in English: Markdown of bold, code and escapes. */
  strength: string[];
  limits: string[];
  reading: string[];
}

export interface StoryData {
  title: string;
  text: string;
  /** Fragment of the page's address, without '#'. */
  view: string;
}

export interface Payload {
  format: number;
  title: string;
  version: string;
  publisher: string;
  license: string;
  citation: string;
  language?: string;
  statement: StatementData;
  tables: TableData[];
  links?: LinkData;
  quality: Record<string, unknown>;
  stories: StoryData[];
  /** Numbers made from the true rows; no page of a bundle has them. */
  private?: Report;
}

/** The data in the page's own element. Throws Error where there are none or they are of another format. */
export function readPayload(document: Document): Payload {
  const text = document.getElementById("data")?.textContent ?? "";
  const payload = JSON.parse(text) as Payload;
  if (payload.format !== FORMAT) throw new Error(`format ${payload.format} of the data must be ${FORMAT}`);
  return payload;
}
