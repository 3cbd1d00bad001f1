/** A panel as one drawing, for saving and for stories. Colours come from the page's variables. */

import type { Estimate } from "../estimate";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import { cut, drawing, hatch, uid } from "../linked/svg";
import { scaleOf, short } from "./mark";
import type { Row } from "./twin";

/** Width of a drawing that is saved. */
export const WIDTH = 640;
const LABEL = 190;
const NUMBER = 112;
const ROW = 26;
const SIZE = 13;

/** Bars below each other: label, bar with its interval, number. wide: pixels; letters keep their size. */
export function picture(title: string, rows: readonly Row[], context: Context, wide = WIDTH): SVGSVGElement {
  const scale = scaleOf(rows.map((row) => row.estimate));
  const room = Math.min(LABEL, 0.4 * wide);
  const width = wide - room - Math.min(NUMBER, 0.28 * wide);
  const right = context.dir === "rtl";
  const start = right ? wide - room : room;
  const at = (n: number): number => start + (right ? -1 : 1) * width * Math.min(1, n / scale);
  const few = uid("hatch");
  const height = rows.length * ROW + 8;
  const text = (x: number, y: number, words: string, anchor: string, fill: string): SVGTextElement => {
    const made = s("text", { x, y, "text-anchor": anchor, fill, "font-size": SIZE, direction: context.dir });
    made.textContent = words;
    return made;
  };
  const svg = drawing(wide, height, title, hatch(few));
  svg.setAttribute("role", "img");
  svg.setAttribute("class", "picture");
  // In a right-to-left drawing "start" of a text is its right end.
  rows.forEach(({ label, estimate }, i) => {
    const y = 4 + i * ROW;
    svg.append(text(start + (right ? 8 : -8), y + 17, cut(label, room - 10, SIZE), "end", "var(--ink)"));
    svg.append(...bar(estimate, y, at, few));
    svg.append(text(right ? 0 : wide, y + 17, short(estimate, context), "end", estimate.few ? "var(--ink-2)" : "var(--ink)"));
  });
  return svg;
}

function bar(estimate: Estimate, y: number, at: (n: number) => number, few: string): SVGElement[] {
  const box = (from: number, to: number): { x: number; width: number } => ({
    x: Math.min(at(from), at(to)),
    width: Math.max(1, Math.abs(at(to) - at(from))),
  });
  if (estimate.few) {
    const shape = { ...box(0, estimate.upper), y: y + 5, height: ROW - 12 };
    return [s("rect", { ...shape, fill: `url(#${few})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })];
  }
  const middle = y + 12;
  const tick = (n: number): SVGElement =>
    s("line", { x1: at(n), x2: at(n), y1: middle - 4, y2: middle + 4, stroke: "var(--ink)", "stroke-width": 1.5 });
  return [
    s("rect", {
      ...box(0, estimate.count),
      y: y + 5,
      height: ROW - 12,
      fill: estimate.source === "published" ? "var(--accent)" : "var(--accent-soft)",
      stroke: "var(--accent)",
    }),
    s("line", { x1: at(estimate.lower), x2: at(estimate.upper), y1: middle, y2: middle, stroke: "var(--ink)", "stroke-width": 1.5 }),
    tick(estimate.lower),
    tick(estimate.upper),
  ];
}
