/** Changes of a draft, each a new draft. */

import type { ColumnDraft, Condition, Draft, TableDraft } from "../contract";

function withTable(draft: Draft, table: string, change: (table: TableDraft) => TableDraft): Draft {
  return { ...draft, tables: draft.tables.map((one) => (one.name === table ? change(one) : one)) };
}

export function tableOf(draft: Draft, name: string): TableDraft | undefined {
  return draft.tables.find((table) => table.name === name);
}

export function columnOf(draft: Draft, table: string, column: string): ColumnDraft | undefined {
  return tableOf(draft, table)?.columns.find((one) => one.name === column);
}

export function changeColumn(draft: Draft, table: string, column: string, change: Partial<ColumnDraft>): Draft {
  return withTable(draft, table, (one) => ({
    ...one,
    columns: one.columns.map((each) => (each.name === column ? { ...each, ...change } : each)),
  }));
}

/** A name that no other column of the table has; null where it is taken or empty. */
export function renamed(draft: Draft, table: string, column: string, name: string): Draft | null {
  const wanted = name.trim();
  const taken = tableOf(draft, table)?.columns.some((one) => one.name === wanted && one.name !== column);
  return wanted === "" || taken ? null : changeColumn(draft, table, column, { name: wanted });
}

export function changeWhere(draft: Draft, table: string, where: Condition[]): Draft {
  return withTable(draft, table, (one) => ({ ...one, where }));
}

export function changeLinks(draft: Draft, table: string, key: string, to: string, at_most: number): Draft {
  return withTable(draft, table, (one) => ({ ...one, links: { ...one.links, to, key, at_most } }));
}

/** One table of two: the columns of the second are added to the rows of the first. As in src/caseveil/records/join.py, a
 * name that is taken tells the file. */
export function joinTables(draft: Draft): Draft {
  const [people, other] = draft.tables;
  if (!people || !other?.links || people.key === null) return draft;
  const free = (name: string, taken: Set<string>): string => {
    let now = name;
    while (taken.has(now)) now = `${now} (${other.source})`;
    taken.add(now);
    return now;
  };
  const files = new Set([people.key, ...people.columns.map((column) => column.from)]);
  const names = new Set(people.columns.map((column) => column.name));
  const columns = other.columns.map((column) => ({ ...column, from: free(column.from, files), name: free(column.name, names) }));
  const unit = draft.promise.unit === "victim or perpetrator" ? "victim" : draft.promise.unit;
  return {
    ...draft,
    promise: { ...draft.promise, unit },
    tables: [{ ...people, join: { source: other.source, key: other.links.key }, columns: [...people.columns, ...columns] }],
    rest: { ...draft.rest, flattened: [] },
  };
}

/** Two tables again, as they were when they were opened. */
export function separateTables(draft: Draft, opened: Draft): Draft {
  return { ...draft, tables: opened.tables, rest: { ...draft.rest, flattened: (opened.rest as { flattened?: object[] } | undefined)?.flattened ?? [] } };
}

export function changePromise(draft: Draft, change: Partial<Draft["promise"]>): Draft {
  return { ...draft, promise: { ...draft.promise, ...change } };
}

export function changeAggregates(draft: Draft, change: Partial<Draft["aggregates"]>): Draft {
  return { ...draft, aggregates: { ...draft.aggregates, ...change } };
}

export function changeRelease(draft: Draft, change: Partial<Draft["release"]>): Draft {
  return { ...draft, release: { ...draft.release, ...change } };
}

/** One value a line, none twice. */
export function valuesOf(text: string): string[] {
  return [...new Set(text.split("\n").map((line) => line.trim()).filter((line) => line !== ""))];
}

/** Edges as a person writes them: numbers, or dates as 2026-03-31, apart by commas or spaces. Null where one is neither. */
export function edgesOf(text: string): (number | string)[] | null {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  const edges = parts.map((part) => (/^\d{4}-\d{2}-\d{2}$/.test(part) ? part : Number(part)));
  return edges.length >= 2 && edges.every((edge) => typeof edge === "string" || Number.isFinite(edge)) ? edges : null;
}

/** The epsilons on the slider; even steps of it are about even steps of accuracy. */
export const EPSILONS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10, 12] as const;

/** Those of the slider, and that of a plan which has another. */
export function epsilonsWith(now: number): number[] {
  return [...new Set<number>([...EPSILONS, now])].sort((a, b) => a - b);
}

/** A name for files and releases: letters, digits and hyphens. */
export function fileName(text: string, otherwise: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").toLowerCase();
  return plain || otherwise;
}
