/** Links over time: a strip for each value of the linked table, all on one scale. Lines break where it is too few. */

import type { Context } from "../layout/context";
import { keyOfCounts } from "../export/key";
import { s } from "../layout/dom";
import { lines, shapes } from "../panels/upright";
import { byPair, type Cell, type Item, largest } from "./data";
import { frame, type Mark, mark, nothing } from "./frame";
import { cut, drawing, hatch, label, widthOf, uid } from "./svg";

export interface OverTime {
  title: string;
  help: string;
  timeName: string;
  name: string;
  times: readonly Item[];
  values: readonly Item[];
  /** row: time, column: value. */
  cells: readonly Cell[];
}

export interface OverTimeOptions {
  width: number;
  onPick?: (time: string) => void;
}

const SIZE = 13;
const STRIP = 46;
const GAP = 12;
const AXIS = 22;

export function overTime(data: OverTime, options: OverTimeOptions, context: Context): HTMLElement {
  const { times, values, cells } = data;
  if (cells.length === 0 || times.length === 0) return nothing(data.title, context);
  const right = context.dir === "rtl";
  const find = byPair(cells);
  const estimates = cells.map((cell) => cell.estimate);
  const allFew = estimates.every((estimate) => estimate.few);
  const most = allFew ? Math.max(1, ...estimates.map(({ upper }) => upper)) : largest(estimates, ({ upper }) => upper);

  const { width } = options;
  const side = Math.min(0.42 * width, 12 + Math.max(...values.map((value) => widthOf(value.label, SIZE))));
  const end = 10 + widthOf(context.number(most), 11);
  const step = (width - side - end) / times.length;
  const mirror = (x: number): number => (right ? width - x : x);
  const x = (i: number): number => mirror(side + step * (i + 0.5));
  const foot = (row: number): number => 6 + row * (STRIP + GAP) + STRIP;
  const few = uid("hatch");
  const svg = drawing(width, foot(values.length - 1) + AXIS, data.title, hatch(few));
  const marks: Mark[] = [];
  values.forEach((value, row) => {
    const base = foot(row);
    const y = (n: number): number => base - (STRIP * Math.min(1, n / most));
    const line = times.map((time) => find(time.value, value.value));
    const edge = { stroke: "var(--line)", "stroke-width": 1 };
    svg.append(
      s("line", { x1: mirror(side), x2: mirror(width - end), y1: base, y2: base, ...edge, stroke: "var(--ink-2)" }),
      s("line", { x1: mirror(side), x2: mirror(width - end), y1: base - STRIP, y2: base - STRIP, ...edge }),
      label(context, cut(value.label, side - 12, SIZE), { x: mirror(side - 8), y: base - STRIP / 2 + 4.5, side: right ? "left" : "right" }),
    );
    if (row === 0) svg.append(label(context, context.number(most), { x: mirror(width), y: base - STRIP + 4, side: right ? "left" : "right" }, { "font-size": 11, fill: "var(--ink-2)" }));
    const told = line.map((estimate) => estimate ?? { few: true, count: 0, lower: 0, upper: 0, source: "records" as const });
    svg.append(...lines(told, x, y));
    line.forEach((estimate, column) => {
      if (!estimate) return;
      const at = x(column);
      const half = Math.min(9, 0.38 * step);
      const name = context.words("linked.pair", { row: times[column]!.label, column: value.label });
      const whole = { x: at - step / 2, width: step, y: base - STRIP - 3, height: STRIP + 6 };
      const pick = options.onPick ? { chosen: false, act: () => options.onPick!(times[column]!.value) } : null;
      marks.push(
        mark(context, { row, column }, name, estimate, pick, s("rect", { ...whole, class: "linked-hit", fill: "transparent" }), ...shapes(estimate, at, y, base, half, true, few), s("rect", { ...whole, rx: 3, class: "linked-halo", fill: "none" })),
      );
    });
  });
  svg.append(...marks.map((one) => one.element));
  // So many labels as have room beside each other.
  const every = Math.ceil((8 + Math.max(...times.map((time) => widthOf(time.label, 12)))) / step);
  times.forEach((time, i) => {
    if (i % every === 0) svg.append(label(context, time.label, { x: x(i), y: foot(values.length - 1) + 16, side: "middle" }, { "font-size": 12 }));
  });
  return frame(
    {
      title: data.title,
      help: data.help,
      svg,
      marks,
      notes: allFew ? [context.words("linked.allFew")] : [],
      key: keyOfCounts(estimates, context),
      heads: [data.timeName, data.name],
      rows: times.flatMap((time) =>
        values.flatMap((value) => {
          const estimate = find(time.value, value.value);
          return estimate ? [{ labels: [time.label, value.label], estimate }] : [];
        }),
      ),
    },
    context,
  );
}
