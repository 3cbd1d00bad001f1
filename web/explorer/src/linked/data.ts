/** What the linked figures draw: values with their estimates, and pairs of values with theirs. */

import type { Estimate } from "../estimate";

export interface Item {
  /** The value as the data have it: what is handed back when a mark is chosen. */
  value: string;
  /** The value as people read it. */
  label: string;
}

export interface Cell {
  row: string;
  column: string;
  estimate: Estimate;
}

export interface Bar extends Item {
  estimate: Estimate;
}

/** Cells found by their two values, so that a missing one leaves a gap and moves nothing. */
export function byPair(cells: readonly Cell[]): (row: string, column: string) => Estimate | undefined {
  const found = new Map<string, Map<string, Estimate>>();
  for (const { row, column, estimate } of cells) {
    let line = found.get(row);
    if (!line) found.set(row, (line = new Map<string, Estimate>()));
    line.set(column, estimate);
  }
  return (row, column) => found.get(row)?.get(column);
}

/** The largest of those numbers that are told with confidence; 1 where there are none. */
export function largest(estimates: Iterable<Estimate>, of: (estimate: Estimate) => number): number {
  let most = 0;
  for (const estimate of estimates) if (!estimate.few) most = Math.max(most, of(estimate));
  return most || 1;
}
