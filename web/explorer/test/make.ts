/** Small tables for tests, encoded as release/explorer.py encodes them. */

import { deflateRawSync } from "node:zlib";
import type { Column, TableData } from "../src/payload";

export function base64(bytes: Uint8Array): string {
  return Buffer.from(deflateRawSync(bytes)).toString("base64");
}

export function column(name: string, values: string[], more: Partial<Column> = {}): Column {
  return { name, kind: "category", meaning: "", values, set: false, time: false, ...more };
}

/** rows: a value, a list of values, or "" per column. */
export function encode(columns: Column[], rows: (string | string[])[][]): Uint8Array {
  const out: number[] = [];
  columns.forEach((of, c) => {
    if (of.set) {
      for (const value of of.values) {
        const plane = new Uint8Array(Math.ceil(rows.length / 8));
        rows.forEach((row, r) => {
          if ((row[c] as string[]).includes(value)) plane[r >>> 3]! |= 1 << (r & 7);
        });
        out.push(...plane);
      }
      return;
    }
    for (const row of rows) {
      const code = row[c] === "" ? 0 : of.values.indexOf(row[c] as string) + 1;
      out.push(code & 255);
      if (of.values.length > 255) out.push(code >>> 8);
    }
  });
  return Uint8Array.from(out);
}

export interface Published {
  [combination: string]: [count: number, lower: number, upper: number];
}

/** published: combinations as "column=value&column=value". */
export function table(columns: Column[], rows: (string | string[])[][], published: Published = {}): TableData {
  const first: number[] = [];
  let at = 0;
  for (const of of columns) {
    first.push(at);
    at += of.values.length;
  }
  const ids = (text: string): number[] =>
    text
      .split("&")
      .map((part) => {
        const [name, value] = part.split("=") as [string, string];
        const c = columns.findIndex((of) => of.name === name);
        return first[c]! + columns[c]!.values.indexOf(value);
      })
      .sort((a, b) => a - b);
  const entries = Object.entries(published);
  return {
    name: "victims",
    rows: rows.length,
    columns,
    records: base64(encode(columns, rows)),
    combinations: entries.map(([text]) => ids(text)),
    count: entries.map(([, [count]]) => count),
    lower: entries.map(([, [, lower]]) => lower),
    upper: entries.map(([, [, , upper]]) => upper),
    spread: { size: [1, 100], half: [10, 30] },
  };
}
