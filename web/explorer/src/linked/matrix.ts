/** Values of one table by those of the other: a square for each pair, its area as large as the count. */

import { keyOfCounts } from "../export/key";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import { byPair, type Cell, type Item, largest } from "./data";
import { frame, type Mark, mark, nothing } from "./frame";
import { cut, drawing, hatch, label, widthOf, uid } from "./svg";

export interface Matrix {
  title: string;
  /** Names of what stands in the lines and in the columns. */
  rowName: string;
  columnName: string;
  rows: readonly Item[];
  columns: readonly Item[];
  cells: readonly Cell[];
}

export interface MatrixOptions {
  /** Pixels there are for the drawing; narrower than its columns need, it can be scrolled. */
  width: number;
  chosen?: (row: string, column: string) => boolean;
  onPick?: (row: string, column: string) => void;
}

const SMALLEST = 34;
const LARGEST = 76;
const SIZE = 13;
/** Part of a cell that the largest square takes. */
const FULL = 0.92;

export function matrix(data: Matrix, options: MatrixOptions, context: Context): HTMLElement {
  const { rows, columns, cells } = data;
  const { words } = context;
  if (rows.length === 0 || columns.length === 0 || cells.length === 0) return nothing(data.title, context);
  const right = context.dir === "rtl";
  const find = byPair(cells);
  const estimates = cells.map((cell) => cell.estimate);
  const allFew = estimates.every((estimate) => estimate.few);
  const most = allFew
    ? Math.max(1, ...estimates.map((estimate) => estimate.upper))
    : largest(estimates, (estimate) => estimate.upper);

  const side = Math.min(0.36 * options.width, 12 + Math.max(...rows.map((row) => widthOf(row.label, SIZE))));
  const room = options.width - side - 8;
  const wide = Math.min(LARGEST, room / columns.length);
  const level = columns.every((column) => widthOf(column.label, SIZE) <= wide - 6);
  const longest = Math.min(150, Math.max(...columns.map((column) => widthOf(column.label, SIZE))));
  // A slanted label of the last column needs room beyond it; where there is none, labels stand upright.
  const overhang = 0.72 * longest + 8;
  const slanted = (room - overhang) / (columns.length - 0.5);
  const upright = !level && slanted < SMALLEST;
  const step = Math.max(SMALLEST, level || upright ? wide : Math.min(LARGEST, slanted));
  const top = level ? 26 : 14 + (upright ? 1 : 0.75) * longest;
  const beyond = level || upright ? 2 : Math.max(2, overhang - step / 2);
  const width = side + step * columns.length + beyond;
  const height = top + step * rows.length + 2;
  const mirror = (x: number): number => (right ? width - x : x);
  const middle = (column: number): number => mirror(side + step * (column + 0.5));

  const few = uid("hatch");
  const svg = drawing(width, height, data.title, hatch(few));
  columns.forEach((column, i) => {
    const y = top - 8;
    const x = middle(i) + (upright ? 4.5 : 0);
    const turn = upright ? 90 : 45;
    const text = cut(column.label, level ? step : 150, SIZE);
    svg.append(
      level
        ? label(context, text, { x, y, side: "middle" })
        : label(context, text, { x, y, side: right && !upright ? "right" : "left" }, { transform: `rotate(${right && !upright ? turn : -turn} ${x} ${y})` }),
    );
  });
  const marks: Mark[] = [];
  rows.forEach((row, r) => {
    const y = top + step * (r + 0.5);
    svg.append(
      s("line", { x1: mirror(side), x2: mirror(side + step * columns.length), y1: y - step / 2, y2: y - step / 2, stroke: "var(--line)" }),
      label(context, cut(row.label, side - 12, SIZE), { x: mirror(side - 8), y: y + 4.5, side: right ? "left" : "right" }),
    );
    columns.forEach((column, c) => {
      const estimate = find(row.value, column.value);
      if (!estimate) return;
      const x = middle(c);
      const square = (n: number, attributes: Record<string, string | number>): SVGElement => {
        const length = FULL * step * Math.sqrt(Math.min(1, Math.max(0, n) / most));
        return s("rect", { x: x - length / 2, y: y - length / 2, width: length, height: length, ...attributes });
      };
      const dashed = { fill: "none", stroke: "var(--ink-2)", "stroke-dasharray": "2 2", "stroke-width": 1 };
      const shapes = estimate.few
        ? [square(estimate.upper, { fill: `url(#${few})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })]
        : [
            square(estimate.count, {
              fill: estimate.source === "published" ? "var(--accent)" : "var(--accent-soft, var(--paper-2))",
              stroke: "var(--accent)",
            }),
            square(estimate.lower, { ...dashed, stroke: estimate.source === "published" ? "var(--paper)" : "var(--ink-2)" }),
            square(estimate.upper, dashed),
          ];
      const whole = { x: x - step / 2 + 1.5, y: y - step / 2 + 1.5, width: step - 3, height: step - 3 };
      const pick = options.onPick && {
        chosen: options.chosen?.(row.value, column.value) ?? false,
        act: () => options.onPick!(row.value, column.value),
      };
      const name = words("linked.pair", { row: row.label, column: column.label });
      const made = mark(
        context,
        { row: r, column: c },
        name,
        estimate,
        pick ?? null,
        s("rect", { ...whole, class: "linked-hit", fill: "transparent" }),
        ...shapes,
        s("rect", { ...whole, rx: 3, class: "linked-halo", fill: "none" }),
      );
      marks.push(made);
      svg.append(made.element);
    });
  });
  return frame(
    {
      title: data.title,
      help: words("linked.matrixHelp"),
      svg,
      marks,
      notes: allFew ? [words("linked.allFew")] : [],
      key: keyOfCounts(estimates, context, false),
      heads: [data.rowName, data.columnName],
      rows: rows.flatMap((row) =>
        columns.flatMap((column) => {
          const estimate = find(row.value, column.value);
          return estimate ? [{ labels: [row.label, column.label], estimate }] : [];
        }),
      ),
    },
    context,
  );
}
