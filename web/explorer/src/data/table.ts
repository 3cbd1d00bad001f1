/** One table of the release: its records, its published counts, and the best number for any mark. */

import type { Estimate } from "../estimate";
import type { TableData } from "../payload";
import { readRecords } from "./decode";
import { type Choice, type Counts, CrossFilter, type Selection } from "./filter";
import { Published } from "./published";
import { fromRecords } from "./spread";

export class Table {
  readonly name: string;
  readonly filter: CrossFilter;
  readonly published: Published;

  private constructor(
    readonly data: TableData,
    records: Awaited<ReturnType<typeof readRecords>>,
    length: number,
  ) {
    this.name = data.name;
    this.filter = new CrossFilter(
      records,
      data.columns.map((column) => column.values.length),
    );
    this.published = new Published(data, length);
  }

  static async read(data: TableData, length: number): Promise<Table> {
    return new Table(data, await readRecords(data), length);
  }

  /** Position of a column, or -1. */
  column(name: string): number {
    return this.data.columns.findIndex((column) => column.name === name);
  }

  count(selection: Selection): Counts {
    return this.filter.count(selection);
  }

  /** Everything that the selection lets through. */
  total(selection: Selection, counts: Counts): Estimate {
    return this.published.sum(parts(selection)) ?? fromRecords(counts.total, this.data.spread, this.data.rows);
  }

  /** Records with a value (-1: none) of a column, under what the selection says of the other columns. */
  mark(selection: Selection, counts: Counts, column: number, value: number): Estimate {
    const asked = parts(selection, column);
    asked.push({ column, values: [value] });
    const inRecords = value < 0 ? counts.blank[column]! : counts.values[column]![value]!;
    return this.published.sum(asked) ?? fromRecords(inRecords, this.data.spread, this.data.rows);
  }

  /** Records of the selection by the values of two columns of one value each, as far as the selection leaves any. */
  cross(selection: Selection, one: number, two: number): { one: number; two: number; estimate: Estimate }[] {
    const { data, filter, published } = this;
    const [a, b] = [filter.records.columns[one]!, filter.records.columns[two]!];
    if (a.set || b.set) return [];
    const within = filter.rows(selection);
    const width = data.columns[two]!.values.length + 1;
    const inRecords = new Uint32Array((data.columns[one]!.values.length + 1) * width);
    for (let r = 0; r < data.rows; r++) if ((within[r >>> 5]! >>> (r & 31)) & 1) inRecords[a.codes[r]! * width + b.codes[r]!]!++;
    const asked = parts(selection).filter(({ column }) => column !== one && column !== two);
    const leaves = (column: number, value: number): boolean => !selection.get(column)?.size || selection.get(column)!.has(value);
    return data.columns[one]!.values.flatMap((_, i) =>
      data.columns[two]!.values.flatMap((_, j) => {
        if (!leaves(one, i) || !leaves(two, j)) return [];
        const pair = [...asked, { column: one, values: [i] }, { column: two, values: [j] }];
        const count = inRecords[(i + 1) * width + j + 1]!;
        return [{ one: i, two: j, estimate: published.sum(pair) ?? fromRecords(count, data.spread, data.rows) }];
      }),
    );
  }
}

function parts(selection: Selection, except = -1): { column: number; values: number[] }[] {
  const found: { column: number; values: number[] }[] = [];
  for (const [column, choice] of selection as Map<number, Choice>) {
    if (column !== except && choice.size > 0) found.push({ column, values: [...choice] });
  }
  return found;
}
