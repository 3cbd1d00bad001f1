/** Bars below each other: how many linked records people have, the relationship, the role. */

import type { Context } from "../layout/context";
import { keyOfCounts } from "../export/key";
import { s } from "../layout/dom";
import { scaleOf, short } from "../panels/mark";
import type { Bar } from "./data";
import { frame, mark, nothing } from "./frame";
import { cut, drawing, hatch, label, widthOf, uid } from "./svg";

export interface Bars {
  title: string;
  help: string;
  /** Name of what the bars stand for. */
  name: string;
  bars: readonly Bar[];
}

export interface BarsOptions {
  width: number;
  chosen?: (value: string) => boolean;
  onPick?: (value: string) => void;
}

const ROW = 28;
const SIZE = 13;

export function bars(data: Bars, options: BarsOptions, context: Context): HTMLElement {
  if (data.bars.length === 0) return nothing(data.title, context);
  const right = context.dir === "rtl";
  const { width } = options;
  const scale = scaleOf(data.bars.map((bar) => bar.estimate));
  const numbers = data.bars.map((bar) => short(bar.estimate, context));
  const side = Math.min(0.42 * width, 12 + Math.max(...data.bars.map((bar) => widthOf(bar.label, SIZE))));
  const end = 12 + Math.min(0.38 * width, Math.max(...numbers.map((text) => widthOf(text, SIZE))));
  const length = Math.max(40, width - side - end);
  const mirror = (x: number): number => (right ? width - x : x);
  const x = (n: number): number => mirror(side + length * Math.min(1, n / scale));
  const few = uid("hatch");
  const svg = drawing(width, data.bars.length * ROW + 4, data.title, hatch(few));
  const marks = data.bars.map((bar, row) => {
    const { estimate } = bar;
    const y = 2 + row * ROW;
    const middle = y + ROW / 2;
    const box = (to: number, attributes: Record<string, string | number>): SVGElement =>
      s("rect", { x: Math.min(x(0), x(to)), width: Math.max(1, Math.abs(x(to) - x(0))), y: y + 6, height: ROW - 12, ...attributes });
    const line = (from: number, to: number, half: number): SVGElement =>
      s("line", { x1: x(from), x2: x(to), y1: middle - half, y2: middle + half, stroke: "var(--ink)", "stroke-width": 1.5 });
    const shapes = estimate.few
      ? [box(estimate.upper, { fill: `url(#${few})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })]
      : [
          box(estimate.count, {
            fill: estimate.source === "published" ? "var(--accent)" : "var(--accent-soft, var(--paper-2))",
            stroke: "var(--accent)",
          }),
          line(estimate.lower, estimate.upper, 0),
          line(estimate.lower, estimate.lower, 4),
          line(estimate.upper, estimate.upper, 4),
        ];
    const pick = options.onPick && { chosen: options.chosen?.(bar.value) ?? false, act: () => options.onPick!(bar.value) };
    const whole = { x: 1.5, y: y + 1, width: width - 3, height: ROW - 2 };
    return mark(
      context,
      { row, column: 0 },
      bar.label,
      estimate,
      pick ?? null,
      s("rect", { ...whole, class: "linked-hit", fill: "transparent" }),
      label(context, cut(bar.label, side - 12, SIZE), { x: mirror(side - 8), y: middle + 4.5, side: right ? "left" : "right" }),
      ...shapes,
      label(
        context,
        cut(numbers[row]!, end - 8, SIZE),
        { x: mirror(width - 4), y: middle + 4.5, side: right ? "left" : "right" },
        { fill: estimate.few ? "var(--ink-2)" : "var(--ink)" },
      ),
      s("rect", { ...whole, rx: 3, class: "linked-halo", fill: "none" }),
    );
  });
  svg.append(...marks.map((one) => one.element));
  const rows = data.bars.map((bar) => ({ labels: [bar.label], estimate: bar.estimate }));
  const key = keyOfCounts(rows.map(({ estimate }) => estimate), context);
  return frame({ title: data.title, help: data.help, svg, marks, heads: [data.name], rows, key }, context);
}
