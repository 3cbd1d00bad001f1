/** A column in order as one drawing: values side by side, or a line over time, as on its panel. */

import type { Estimate } from "../estimate";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import { cut, drawing, hatch, label, uid, widthOf } from "../linked/svg";
import { runs } from "./line";
import { scaleOf, short } from "./mark";
import { WIDTH } from "./picture";
import type { Row } from "./twin";

const HIGH = 150;
const TOP = 26;
const FOOT = 26;

/**
 * rows: a value each, in order. blank: told in words below them. line: joined over time, where it can be told. joined:
 * bars touch, as classes do. width: pixels; letters keep their size.
 */
export function upright(title: string, rows: readonly Row[], blank: Row | null, how: { line: boolean; joined: boolean }, context: Context, width = WIDTH): SVGSVGElement {
  const scale = scaleOf(rows.map((row) => row.estimate));
  const step = width / Math.max(1, rows.length);
  const base = TOP + HIGH;
  const y = (n: number): number => base - HIGH * Math.min(1, n / scale);
  const x = (i: number): number => (context.dir === "rtl" ? width - step * (i + 0.5) : step * (i + 0.5));
  const few = uid("hatch");
  const svg = drawing(width, base + FOOT + (blank ? FOOT : 0), title, hatch(few));
  svg.setAttribute("role", "img");
  svg.setAttribute("class", "picture");
  svg.append(s("line", { x1: 0, x2: width, y1: base, y2: base, stroke: "var(--ink-2)" }));
  const estimates = rows.map((row) => row.estimate);
  if (how.line) svg.append(...lines(estimates, x, y));
  // So many labels and numbers as have room beside each other.
  const numbers = rows.map(({ estimate }) => (estimate.few ? "?" : short(estimate, context)));
  const every = (texts: readonly string[], size: number): number => Math.ceil(Math.min(rows.length, (4 + Math.max(...texts.map((text) => widthOf(text, size)))) / step));
  const [eachNumber, eachLabel] = [every(numbers, 11), every(rows.map((row) => cut(row.label, 90, 12)), 12)];
  const half = 0.5 * step * (how.joined ? 1 : 0.76);
  rows.forEach(({ label: name, estimate }, i) => {
    svg.append(...shapes(estimate, x(i), y, base, how.line ? Math.min(half, 12) : half, how.line, few));
    if (i % eachNumber === 0) svg.append(label(context, numbers[i]!, { x: x(i), y: 14, side: "middle" }, { "font-size": 11, fill: estimate.few ? "var(--ink-2)" : "var(--ink)" }));
    if (i % eachLabel === 0) svg.append(label(context, cut(name, 90, 12), { x: x(i), y: base + 17, side: "middle" }, { "font-size": 12 }));
  });
  if (blank) {
    const text = `${blank.label}: ${short(blank.estimate, context)}`;
    const right = context.dir === "rtl";
    svg.append(label(context, text, { x: right ? width : 0, y: base + FOOT + 14, side: right ? "right" : "left" }, { "font-size": 12, fill: "var(--ink-2)" }));
  }
  return svg;
}

/** Lines through neighbours that can be told, with their bands. */
export function lines(estimates: readonly Estimate[], x: (i: number) => number, y: (n: number) => number): SVGElement[] {
  const point = (i: number, n: number): string => `${x(i).toFixed(1)},${y(n).toFixed(1)}`;
  return runs(estimates).flatMap((run) => {
    const above = run.map((i) => point(i, estimates[i]!.upper));
    const below = run.map((i) => point(i, estimates[i]!.lower)).reverse();
    return [
      s("path", { d: `M${[...above, ...below].join("L")}Z`, fill: "var(--accent)", "fill-opacity": 0.16 }),
      s("path", { d: `M${run.map((i) => point(i, estimates[i]!.count)).join("L")}`, fill: "none", stroke: "var(--accent)", "stroke-width": 2 }),
    ];
  });
}

/** One number: a bar, or a dot on a line, with its interval; hatched where it is too few to tell. */
export function shapes(estimate: Estimate, at: number, y: (n: number) => number, base: number, half: number, dot: boolean, few: string): SVGElement[] {
  const box = (n: number, attributes: Record<string, string | number>): SVGElement =>
    s("rect", { x: at - half, width: 2 * half, y: y(n), height: Math.max(1, base - y(n)), ...attributes });
  if (estimate.few) return [box(estimate.upper, { fill: `url(#${few})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })];
  const ink = { stroke: "var(--ink)", "stroke-width": 1.5 };
  const cap = (n: number): SVGElement => s("line", { x1: at - 4, x2: at + 4, y1: y(n), y2: y(n), ...ink });
  const solid = estimate.source === "published";
  return [
    ...(dot ? [] : [box(estimate.count, { fill: solid ? "var(--accent)" : "var(--accent-soft)", stroke: "var(--accent)" })]),
    s("line", { x1: at, x2: at, y1: y(estimate.lower), y2: y(estimate.upper), ...ink }),
    cap(estimate.lower),
    cap(estimate.upper),
    ...(dot ? [s("circle", { cx: at, cy: y(estimate.count), r: 4.5, fill: solid ? "var(--accent)" : "var(--paper-2)", stroke: "var(--accent)", "stroke-width": 1.5 })] : []),
  ];
}
