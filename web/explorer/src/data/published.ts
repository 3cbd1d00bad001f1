/** Published counts, found by the values of a combination in constant time. */

import type { Estimate } from "../estimate";
import { makeEstimate } from "../estimate";
import type { TableData } from "../payload";

/** Sums over more combinations than this are left to the records: their interval would say nothing. */
const MOST_TERMS = 4096;

function hash(ids: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const id of ids) h = Math.imul(h ^ (id + 1), 0x01000193);
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

export class Published {
  /** Open addressing: position of a combination plus one, 0 where free. */
  private readonly slots: Int32Array;
  private readonly mask: number;
  /** Number of the first value of each column. */
  readonly first: number[];

  constructor(
    private readonly table: TableData,
    readonly length: number,
  ) {
    let at = 0;
    this.first = table.columns.map((column) => (at += column.values.length) - column.values.length);
    let size = 16;
    while (size < 2 * table.combinations.length) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size);
    table.combinations.forEach((ids, i) => {
      let slot = hash(ids) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = i + 1;
    });
  }

  /** Position of the combination of these value numbers (ascending), or -1 where it was not published. */
  find(ids: readonly number[]): number {
    let slot = hash(ids) & this.mask;
    for (;;) {
      const i = this.slots[slot]! - 1;
      if (i < 0) return -1;
      const there = this.table.combinations[i]!;
      if (there.length === ids.length && there.every((id, j) => id === ids[j])) return i;
      slot = (slot + 1) & this.mask;
    }
  }

  /**
   * The count of records with one of the values of each column, as a sum of published counts of combinations
   * that exclude each other; null where that is not possible: a combination is too long or was not published,
   * a value is blank, or several values of a set are asked for, which one record can have together.
   */
  sum(parts: readonly { column: number; values: readonly number[] }[]): Estimate | null {
    if (parts.length === 0 || parts.length > this.length) return null;
    let terms = 1;
    for (const { column, values } of parts) {
      if (values.length === 0 || values.includes(-1)) return null;
      if (values.length > 1 && this.table.columns[column]!.set) return null;
      terms *= values.length;
    }
    if (terms > MOST_TERMS) return null;
    const sorted = [...parts].sort((a, b) => a.column - b.column);
    const ids = new Array<number>(sorted.length).fill(0);
    let count = 0;
    let lower = 0;
    let upper = 0;
    const add = (depth: number): boolean => {
      if (depth === sorted.length) {
        const i = this.find(ids);
        if (i < 0) return false;
        count += this.table.count[i]!;
        lower += this.table.lower[i]!;
        upper += this.table.upper[i]!;
        return true;
      }
      const { column, values } = sorted[depth]!;
      return values.every((value) => {
        ids[depth] = this.first[column]! + value;
        return add(depth + 1);
      });
    };
    return add(0) ? makeEstimate(count, lower, upper, "published") : null;
  }
}
