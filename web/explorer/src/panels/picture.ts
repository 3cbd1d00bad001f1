/** A panel as one drawing, for saving and for stories. Colours come from the page's variables. */

import type { Estimate } from "../estimate";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import { scaleOf, short } from "./mark";
import type { Row } from "./twin";

const WIDTH = 640;
const LABEL = 190;
const NUMBER = 112;
const ROW = 26;
const MOST_LETTERS = 30;

let drawn = 0;

function cut(text: string): string {
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 1).trimEnd()}…`;
}

/** Bars below each other: label, bar with its interval, number. */
export function picture(title: string, rows: readonly Row[], context: Context): SVGSVGElement {
  const scale = scaleOf(rows.map((row) => row.estimate));
  const width = WIDTH - LABEL - NUMBER;
  const right = context.dir === "rtl";
  const start = right ? WIDTH - LABEL : LABEL;
  const at = (n: number): number => start + (right ? -1 : 1) * width * Math.min(1, n / scale);
  const hatch = `hatch-${++drawn}`;
  const height = rows.length * ROW + 8;
  const text = (x: number, y: number, words: string, anchor: string, fill: string): SVGTextElement => {
    const made = s("text", { x, y, "text-anchor": anchor, fill, "font-size": 13, direction: context.dir });
    made.textContent = words;
    return made;
  };
  const svg = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: "img", "aria-label": title, class: "picture" },
    s(
      "defs",
      {},
      s(
        "pattern",
        { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        s("line", { x1: 0, y1: 0, x2: 0, y2: 6, stroke: "var(--few)", "stroke-width": 1.5 }),
      ),
    ),
  );
  // In a right-to-left drawing "start" of a text is its right end.
  rows.forEach(({ label, estimate }, i) => {
    const y = 4 + i * ROW;
    svg.append(text(start + (right ? 8 : -8), y + 17, cut(label), "end", "var(--ink)"));
    svg.append(...bar(estimate, y, at, hatch));
    svg.append(text(right ? 0 : WIDTH, y + 17, short(estimate, context), "end", estimate.few ? "var(--ink-2)" : "var(--ink)"));
  });
  return svg;
}

function bar(estimate: Estimate, y: number, at: (n: number) => number, hatch: string): SVGElement[] {
  const box = (from: number, to: number): { x: number; width: number } => ({
    x: Math.min(at(from), at(to)),
    width: Math.max(1, Math.abs(at(to) - at(from))),
  });
  if (estimate.few) {
    const shape = { ...box(0, estimate.upper), y: y + 5, height: ROW - 12 };
    return [s("rect", { ...shape, fill: `url(#${hatch})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })];
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
