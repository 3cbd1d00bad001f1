/**
 * Counts across the link under a selection of people.
 *
 * A number is the published count, or a sum of published counts that exclude each other, where the selection is of one
 * column at most; otherwise it is counted in the linked records, with the band of its kind (release/spread.py).
 */

import { type Estimate, makeEstimate } from "../estimate";
import type { Cell } from "../linked/data";
import type { Bits, Stored } from "./decode";
import { bitCount, type Choice, type Selection } from "./filter";
import type { Links } from "./links";
import { fromRecords } from "./spread";
import type { Table } from "./table";

const PAIRS = "links";
const ANY = "victims with any";
const NUMBERS = "victims";

export class Across {
  private readonly owner: Uint32Array;
  /** Links of each record of people. */
  private readonly numbers: Uint16Array;

  constructor(
    readonly links: Links,
    readonly people: Table,
    readonly others: Table,
  ) {
    const { of } = others.filter.records;
    if (!of) throw new RangeError("linked records must say to whom they belong");
    this.owner = of;
    this.numbers = new Uint16Array(people.data.rows);
    for (const person of of) this.numbers[person]!++;
  }

  /** Links by a value of people in `row` and a value of the linked table in `column`. */
  pairs(selection: Selection, row: number, column: number): Cell[] {
    const [one, two] = [this.people.data.columns[row]!, this.others.data.columns[column]!];
    const counts = selection.size > 0 ? this.countPairs(this.people.filter.rows(selection), row, column) : null;
    const cells: Cell[] = [];
    one.values.forEach((value, i) => {
      // What the selection turns down is no cell of this matrix.
      if (!one.set && selection.has(row) && !selection.get(row)!.has(i)) return;
      two.values.forEach((other, j) => {
        const asked = { [`${this.others.name}.${two.name}`]: other };
        const published = this.published(PAIRS, selection, asked, { column: row, value: i });
        const estimate = published ?? (counts ? this.estimate(PAIRS, counts[i]![j]!) : null);
        if (estimate) cells.push({ row: value, column: other, estimate });
      });
    });
    return cells;
  }

  /** People of the selection with at least one link of each value of a column; null where nothing is known. */
  withAny(selection: Selection, column: number): (Estimate | null)[] {
    const two = this.others.data.columns[column]!;
    const counts = selection.size > 0 ? this.countAny(this.people.filter.rows(selection), column) : null;
    return two.values.map((value, j) => {
      const published = this.published(ANY, selection, { [`${this.others.name}.${two.name}`]: value });
      return published ?? (counts ? this.estimate(ANY, counts[j]!) : null);
    });
  }

  /** People of the selection by their number of links, as published values name it. */
  byNumber(selection: Selection): { value: string; estimate: Estimate }[] {
    const name = this.links.number;
    if (name === null) return [];
    const within = selection.size > 0 ? this.people.filter.rows(selection) : null;
    return this.links.numbers().flatMap((value) => {
      const published = this.published(this.links.whole, selection, { [name]: value });
      if (published) return [{ value, estimate: published }];
      if (!within) return [];
      let n = 0;
      this.numbers.forEach((links, person) => {
        if (links === Number(value) && (within[person >>> 5]! >>> (person & 31)) & 1) n++;
      });
      return [{ value, estimate: this.estimate(NUMBERS, n) }];
    });
  }

  private estimate(of: string, count: number): Estimate {
    const rows = of === PAIRS ? this.others.data.rows : this.people.data.rows;
    return fromRecords(count, this.links.data.spread[of] ?? { size: [], half: [] }, rows);
  }

  /** The published count of `asked` under a selection of one column (`mark` counts as one), summed over its values. */
  private published(of: string, selection: Selection, asked: Record<string, string>, mark?: { column: number; value: number }): Estimate | null {
    const parts = new Map<number, Choice>(selection);
    if (mark) {
      // A record of a set column may have the mark's value and yet be chosen for another one.
      const chosen = parts.get(mark.column);
      if (chosen && this.people.data.columns[mark.column]!.set && !(chosen.size === 1 && chosen.has(mark.value))) return null;
      parts.set(mark.column, new Set([mark.value]));
    }
    if (parts.size === 0) return this.links.find(of, asked) ?? null;
    const [column, choice] = [...parts][0]!;
    if (parts.size > 1 || choice.has(-1) || choice.size === 0) return null;
    const { name, set, values } = this.people.data.columns[column]!;
    if (set && choice.size > 1) return null;
    const sum = { count: 0, lower: 0, upper: 0 };
    for (const value of choice) {
      const found = this.links.find(of, { ...asked, [`${this.people.name}.${name}`]: values[value]! });
      if (!found) return null;
      sum.count += found.count;
      sum.lower += found.lower;
      sum.upper += found.upper;
    }
    return makeEstimate(sum.count, sum.lower, sum.upper, "published");
  }

  /** People of whom a link has the value, each once however many have it. */
  private countAny(within: Bits, column: number): number[] {
    const { values } = this.others.data.columns[column]!;
    const stored = this.others.filter.records.columns[column]!;
    const people = values.map(() => new Uint32Array(within.length));
    this.owner.forEach((person, link) => {
      for (const j of valuesOf(stored, link, values.length)) people[j]![person >>> 5]! |= 1 << (person & 31);
    });
    return people.map((some) => some.reduce((n, word, i) => n + bitCount(word & within[i]!), 0));
  }

  private countPairs(within: Bits, row: number, column: number): Uint32Array[] {
    const [one, two] = [this.people.filter.records.columns[row]!, this.others.filter.records.columns[column]!];
    const counts = this.people.data.columns[row]!.values.map(() => new Uint32Array(this.others.data.columns[column]!.values.length));
    this.owner.forEach((person, link) => {
      if (!((within[person >>> 5]! >>> (person & 31)) & 1)) return;
      for (const i of valuesOf(one, person, counts.length)) {
        const line = counts[i]!;
        for (const j of valuesOf(two, link, line.length)) line[j]!++;
      }
    });
    return counts;
  }
}

function has(column: Stored, value: number, row: number): boolean {
  return column.set ? ((column.planes[value]![row >>> 5]! >>> (row & 31)) & 1) === 1 : column.codes[row] === value + 1;
}

function valuesOf(column: Stored, row: number, size: number): number[] {
  if (!column.set) return column.codes[row]! > 0 ? [column.codes[row]! - 1] : [];
  const found: number[] = [];
  for (let value = 0; value < size; value++) if (has(column, value, row)) found.push(value);
  return found;
}
