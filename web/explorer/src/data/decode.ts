/** Records as typed arrays: a code a row for a column of one value, a bit a row and value for a set. */

import type { Column, TableData } from "../payload";

/** 0 stands for blank, i + 1 for the column's value i. */
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** Bits of rows, least significant first, padded with zeros to whole 32-bit words. */
export type Bits = Uint32Array;

export type Stored = { set: false; codes: Codes } | { set: true; planes: Bits[] };

export interface Records {
  rows: number;
  columns: Stored[];
  /** Linked table: position of the record that each row belongs to. */
  of: Uint32Array | null;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Bytes of base64 of raw deflate. Throws Error where the browser cannot do so. */
export async function inflate(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function words(rows: number): number {
  return (rows + 31) >>> 5;
}

/** Columns out of the bytes of all, column by column. Throws RangeError if bytes are missing or left over. */
export function split(bytes: Uint8Array, rows: number, columns: readonly Column[]): Stored[] {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError("the records are cut short");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const stored = columns.map((column): Stored => {
    if (column.set) {
      const planes = column.values.map(() => {
        const plane = new Uint32Array(words(rows));
        const part = take((rows + 7) >>> 3);
        for (let i = 0; i < part.length; i++) plane[i >>> 2]! |= part[i]! << ((i & 3) << 3);
        return plane;
      });
      return { set: true, planes };
    }
    if (column.values.length <= 255) return { set: false, codes: take(rows) };
    const wide = column.values.length > 65535;
    const part = take((wide ? 4 : 2) * rows);
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    const codes = wide
      ? Uint32Array.from({ length: rows }, (_, r) => view.getUint32(4 * r, true))
      : Uint16Array.from({ length: rows }, (_, r) => view.getUint16(2 * r, true));
    return { set: false, codes };
  });
  if (at !== bytes.length) throw new RangeError("the records are longer than their columns");
  return stored;
}

export async function readRecords(table: TableData): Promise<Records> {
  const columns = split(await inflate(table.records), table.rows, table.columns);
  if (table.of === undefined) return { rows: table.rows, columns, of: null };
  const bytes = await inflate(table.of);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const of = Uint32Array.from({ length: table.rows }, (_, r) => view.getUint32(4 * r, true));
  return { rows: table.rows, columns, of };
}
