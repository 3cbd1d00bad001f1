/** How a column is drawn: bars below each other, columns side by side, or a line over time. */

import type { Column } from "../payload";

export type Drawing = "bars" | "columns" | "time";

const MOST_COLUMNS = 14;
const MOST_TIMES = 60;
const LONGEST_LABEL = 7;

export function drawingOf(column: Column): Drawing {
  const { values } = column;
  if (column.set || values.length < 3) return "bars";
  if (column.time && values.length <= MOST_TIMES) return "time";
  const inOrder = column.kind === "ordered" || column.kind === "binned";
  const short = values.every((value) => value.length <= LONGEST_LABEL);
  return inOrder && short && values.length <= MOST_COLUMNS ? "columns" : "bars";
}

/** Values keep their declared order, where there is one. */
export function keepsOrder(column: Column): boolean {
  return column.time || column.kind === "ordered" || column.kind === "binned";
}

/** A value as people write it: '9--17' is '9–17'. */
export function label(value: string): string {
  return value.replace(/(\d)--(\d)/g, "$1–$2");
}
