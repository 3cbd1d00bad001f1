/**
 * Counts of records under a selection, for all columns at once.
 *
 * A column's own choice does not narrow its own panel, so that further values can be added to it. Rows are
 * therefore told apart by how many columns turn them down: none (they count everywhere), exactly one (they
 * count in that column's panel alone), or more.
 */

import { type Bits, type Records, type Stored, words } from "./decode";

/** Chosen values of one column by their position; -1 is blank. */
export type Choice = ReadonlySet<number>;
export type Selection = ReadonlyMap<number, Choice>;

export interface Counts {
  /** Records that the whole selection lets through. */
  total: number;
  /** Per column, per value: records with it that the other columns let through. */
  values: Uint32Array[];
  /** Per column: the same for records without a value. */
  blank: Uint32Array;
}

/** Ones among 32 bits. */
export function bitCount(x: number): number {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function popcount(bits: Bits): number {
  let total = 0;
  for (let i = 0; i < bits.length; i++) total += bitCount(bits[i]!);
  return total;
}

function full(rows: number): Bits {
  const bits = new Uint32Array(words(rows)).fill(0xffffffff);
  if (rows & 31) bits[bits.length - 1] = (1 << (rows & 31)) - 1;
  return bits;
}

/** Rows that a choice in one column lets through. */
export function passing(column: Stored, choice: Choice, rows: number): Bits {
  const bits = new Uint32Array(words(rows));
  if (column.set) {
    for (const value of choice) {
      const plane = column.planes[value];
      if (plane) for (let i = 0; i < bits.length; i++) bits[i]! |= plane[i]!;
    }
    if (choice.has(-1)) {
      const all = full(rows);
      for (let i = 0; i < bits.length; i++) {
        let any = 0;
        for (const plane of column.planes) any |= plane[i]!;
        bits[i]! |= ~any & all[i]!;
      }
    }
    return bits;
  }
  const codes = column.codes;
  let most = 0;
  for (let r = 0; r < rows; r++) if (codes[r]! > most) most = codes[r]!;
  const wanted = new Uint8Array(most + 1);
  for (const value of choice) wanted[value + 1] = 1;
  for (let r = 0; r < rows; r++) bits[r >>> 5]! |= wanted[codes[r]!]! << (r & 31);
  return bits;
}

export class CrossFilter {
  private readonly kept = new Map<string, Bits>();

  constructor(
    readonly records: Records,
    private readonly sizes: readonly number[],
  ) {}

  /** Rows through one column's choice; the last ones are remembered, for a click changes one column only. */
  private through(column: number, choice: Choice): Bits {
    const key = `${column}:${[...choice].sort((a, b) => a - b).join()}`;
    let bits = this.kept.get(key);
    if (!bits) {
      bits = passing(this.records.columns[column]!, choice, this.records.rows);
      if (this.kept.size > 64) this.kept.clear();
      this.kept.set(key, bits);
    }
    return bits;
  }

  /** Rows that pass every column of the selection but `except`. */
  rows(selection: Selection, except = -1): Bits {
    const bits = full(this.records.rows);
    for (const [column, choice] of selection) {
      if (column === except || choice.size === 0) continue;
      const through = this.through(column, choice);
      for (let i = 0; i < bits.length; i++) bits[i]! &= through[i]!;
    }
    return bits;
  }

  /** Counts of everything, made once. */
  private whole: Tally[] | null = null;

  count(selection: Selection): Counts {
    const { columns, rows } = this.records;
    this.whole ??= columns.map((column, i) => tally(column, this.sizes[i]!, prepare(full(rows), rows)));
    const all = prepare(this.rows(selection), rows);
    const values: Uint32Array[] = [];
    const blank = new Uint32Array(this.sizes.length);
    columns.forEach((column, i) => {
      const some = selection.get(i)?.size ? prepare(this.rows(selection, i), rows) : all;
      const everything = this.whole![i]!;
      let counted = everything;
      if (some.bits) {
        counted = tally(column, this.sizes[i]!, some);
        if (some.without) counted = difference(everything, counted);
      }
      values.push(counted.values);
      blank[i] = counted.blank;
    });
    return { total: all.total, values, blank };
  }
}

interface Tally {
  values: Uint32Array;
  blank: number;
}

/** Rows to be counted; where most of them pass, the others, to be taken off everything. */
interface Some {
  total: number;
  without: boolean;
  /** null: all rows pass. */
  bits: Bits | null;
  positions: Uint32Array;
}

function prepare(bits: Bits, rows: number): Some {
  const total = popcount(bits);
  if (2 * total <= rows) return { total, without: false, bits, positions: positionsOf(bits, total) };
  const others = full(rows);
  for (let i = 0; i < others.length; i++) others[i]! &= ~bits[i]!;
  return { total, without: true, bits: total === rows ? null : others, positions: positionsOf(others, rows - total) };
}

function difference(a: Tally, b: Tally): Tally {
  return { values: a.values.map((n, i) => n - b.values[i]!), blank: a.blank - b.blank };
}

function positionsOf(bits: Bits, total: number): Uint32Array {
  const positions = new Uint32Array(total);
  let at = 0;
  for (let i = 0; i < bits.length; i++) {
    let word = bits[i]!;
    while (word !== 0) {
      const low = word & -word;
      positions[at++] = (i << 5) + (31 - Math.clz32(low));
      word ^= low;
    }
  }
  return positions;
}

function tally(column: Stored, size: number, { bits, positions, total }: Some): Tally {
  if (!column.set) {
    const counts = new Uint32Array(size + 1);
    const codes = column.codes;
    // Everything: no positions, for none is left out.
    if (bits === null) for (let r = 0; r < total; r++) counts[codes[r]!]!++;
    else for (let i = 0; i < positions.length; i++) counts[codes[positions[i]!]!]!++;
    return { values: counts.subarray(1), blank: counts[0]! };
  }
  const values = new Uint32Array(size);
  const any = new Uint32Array(column.planes[0]?.length ?? 0);
  column.planes.forEach((plane, value) => {
    let n = 0;
    for (let i = 0; i < plane.length; i++) {
      const both = bits === null ? plane[i]! : plane[i]! & bits[i]!;
      any[i]! |= both;
      n += bitCount(both);
    }
    values[value] = n;
  });
  return { values, blank: (bits === null ? total : positions.length) - popcount(any) };
}
