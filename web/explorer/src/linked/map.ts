/** Flows between places on a map. Values that name no place we know are told in words below it. */

import outline from "../geo/outline.json";
import { findPlace, type Place } from "../geo/places";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import { type Bar, type Cell, largest } from "./data";
import { SHAPES } from "../export/key";
import { drawn, type Flows, type FlowsOptions, keyOfFlows } from "./flows";
import { frame, type Mark, mark, nothing } from "./frame";
import { drawing, hatch, label, widthOf, uid } from "./svg";

export interface FlowMap extends Flows {
  /** Everyone at a destination, whatever the origin: how dark the place is. */
  arrived: readonly Bar[];
}

/** More arrows than this hide each other. */
const MOST_ARROWS = 60;
const WIDEST = 9;
const NAMES = 14;
const SIZE = 12;

const shapes = outline.shapes as [string, string][];

interface Spot {
  value: string;
  label: string;
  place: Place;
}

function spots(data: FlowMap): { found: Map<string, Spot>; unknown: string[]; moved: Spot[] } {
  const found = new Map<string, Spot>();
  const unknown = new Set<string>();
  for (const { value, label } of [...data.origins, ...data.destinations]) {
    const place = findPlace(value);
    if (place) found.set(value, { value, label, place });
    else unknown.add(label);
  }
  return { found, unknown: [...unknown], moved: [...found.values()].filter((spot) => spot.place.drawnAt) };
}

export function flowMap(data: FlowMap, options: FlowsOptions, context: Context): HTMLElement {
  const { words } = context;
  const { found, unknown, moved } = spots(data);
  const placed = data.cells.filter((cell) => found.has(cell.row) && found.has(cell.column));
  if (placed.length === 0) return nothing(data.title, context);
  const { width } = options;
  const k = width / outline.width;
  const height = Math.round(k * outline.height);
  const few = uid("hatch");
  const svg = drawing(width, height, data.title, hatch(few));
  svg.append(land(data, found, k, few));

  const isSame = (cell: Cell): boolean => found.get(cell.row)!.place.id === found.get(cell.column)!.place.id;
  const within = drawn(placed.filter(isSame), Infinity);
  const across = drawn(placed.filter((cell) => !isSame(cell)), MOST_ARROWS);
  const widest = Math.min(28, Math.max(12, 0.03 * width));
  const mostWithin = largest(within.map((cell) => cell.estimate), (estimate) => estimate.upper);
  const mostAcross = largest(across.map((cell) => cell.estimate), (estimate) => estimate.count);

  const point = (value: string): [number, number] => {
    const { x, y } = found.get(value)!.place;
    return [k * x, k * y];
  };
  /** Radius of the circle at a place, 0 where there is none: arrows end at its edge, names stand above it. */
  const edge = new Map<string, number>();
  for (const { row, estimate } of within) {
    const n = Math.max(0, estimate.few ? estimate.upper : estimate.count);
    edge.set(found.get(row)!.place.id, Math.max(3, widest * Math.sqrt(Math.min(1, n / mostWithin))));
  }
  const edgeOf = (value: string): number => edge.get(found.get(value)!.place.id) ?? 0;
  const pickOf = (cell: Cell) =>
    options.onPick
      ? { chosen: options.chosen?.(cell.row, cell.column) ?? false, act: () => options.onPick!(cell.row, cell.column) }
      : null;
  const marks: Mark[] = [];
  across.forEach((cell, i) => {
    const from = found.get(cell.row)!.label;
    const to = found.get(cell.column)!.label;
    const { estimate } = cell;
    const t = estimate.few ? 1.5 : Math.max(1.5, (WIDEST * estimate.count) / mostAcross);
    const { line, head } = arrow(point(cell.row), point(cell.column), t, edgeOf(cell.column));
    const colour = estimate.few ? "var(--few)" : "var(--accent)";
    const stroke = { d: line, fill: "none", stroke: colour, "stroke-width": t, "stroke-linecap": "butt" };
    const dashes: Record<string, string | number> = estimate.few ? { "stroke-dasharray": "3 4" } : { "stroke-opacity": 0.72 };
    marks.push(
      mark(
        context,
        { row: within.length + i, column: 0 },
        words("flows.pair", { from, to }),
        estimate,
        pickOf(cell),
        s("path", { d: line, class: "linked-halo linked-halo-line", fill: "none" }),
        s("path", { d: line, fill: "none", stroke: "transparent", "stroke-width": Math.max(12, t) }),
        s("path", { ...stroke, ...dashes }),
        s("path", { d: head, fill: estimate.few ? "none" : colour, stroke: colour, "stroke-width": 1 }),
      ),
    );
  });
  within.forEach((cell, i) => {
    const { estimate } = cell;
    const [x, y] = point(cell.row);
    const radius = (n: number): number => widest * Math.sqrt(Math.min(1, Math.max(0, n) / mostWithin));
    const circle = (r: number, attributes: Record<string, string | number>): SVGElement => s("circle", { cx: x, cy: y, r, ...attributes });
    const ring = { fill: "none", stroke: "var(--ink)", "stroke-width": 1, "stroke-dasharray": "2 2" };
    const r = edgeOf(cell.row);
    const drawnShapes = estimate.few
      ? [circle(r, { fill: `url(#${few})`, stroke: "var(--few)", "stroke-dasharray": "3 2" })]
      : [
          circle(r, { fill: "var(--accent-2)", stroke: "var(--paper)", "stroke-width": 1 }),
          circle(radius(estimate.lower), { ...ring, stroke: "var(--paper)" }),
          circle(radius(estimate.upper), ring),
        ];
    marks.push(
      mark(
        context,
        { row: i, column: 0 },
        words("map.within", { place: found.get(cell.row)!.label }),
        estimate,
        pickOf(cell),
        ...drawnShapes,
        circle(Math.max(12, r + 2), { class: "linked-halo", fill: "none" }),
        circle(Math.max(12, r), { class: "linked-hit", fill: "transparent" }),
      ),
    );
  });
  svg.append(...marks.map((one) => one.element));
  svg.append(...names([...within, ...across], found, point, edgeOf, width, context));

  const notes = [
    ...(unknown.length > 0 ? [words("map.unplaced", { names: unknown.join(", ") })] : []),
    ...moved.map((spot) => words("map.several", { value: spot.label, place: spot.place.drawnAt! })),
    ...([...found.values()].some((spot) => spot.place.kind === "region") ? [words("map.region")] : []),
    ...(placed.length > within.length + across.length ? [more(placed, within, across, words)] : []),
    words("map.outline"),
  ].filter(Boolean);
  const name = (items: readonly { value: string; label: string }[], value: string): string =>
    items.find((item) => item.value === value)?.label ?? value;
  const made = frame(
    {
      title: data.title,
      help: words("map.help"),
      svg,
      marks: [...marks].sort((a, b) => a.row - b.row),
      heads: [data.originName, data.destinationName],
      rows: data.cells.map((cell) => ({
        labels: [name(data.origins, cell.row), name(data.destinations, cell.column)],
        estimate: cell.estimate,
      })),
      notes,
      key: keyOfFlows(within, across, { same: SHAPES.circle, crossed: SHAPES.arrow }, context),
    },
    context,
  );
  made.classList.add("linked-map");
  return made;
}

function more(placed: readonly Cell[], within: readonly Cell[], across: readonly Cell[], words: Context["words"]): string {
  const n = placed.filter((cell) => cell.estimate.upper > 0).length - within.length - across.length;
  return n > 0 ? words("flows.more", { n }) : "";
}

/** Countries, the darker the more people arrived; hatched where that is too few to tell. */
function land(data: FlowMap, found: ReadonlyMap<string, Spot>, k: number, few: string): SVGElement {
  const most = largest(data.arrived.map((bar) => bar.estimate), (estimate) => estimate.count);
  const fills = new Map<string, Record<string, string | number>>();
  // Regions first: a country named by itself is more exact than a region around it.
  const order = (bar: Bar): number => (found.get(bar.value)?.place.kind === "country" ? 1 : 0);
  for (const bar of [...data.arrived].sort((a, b) => order(a) - order(b))) {
    const spot = found.get(bar.value);
    if (!spot) continue;
    const share = Math.min(1, bar.estimate.count / most);
    const fill: Record<string, string | number> = bar.estimate.few
      ? { fill: `url(#${few})` }
      : { fill: "var(--accent)", "fill-opacity": (0.08 + 0.34 * Math.sqrt(share)).toFixed(3) };
    for (const member of spot.place.members) fills.set(member, fill);
  }
  const group = s("g", { transform: `scale(${k})`, "aria-hidden": "true" });
  for (const [letters, d] of shapes) {
    const edge = { stroke: "var(--line)", "stroke-width": 0.75, "vector-effect": "non-scaling-stroke" };
    group.append(s("path", { d, fill: "var(--paper-2)", ...edge }));
    const fill = fills.get(letters);
    if (fill) group.append(s("path", { d, ...fill }));
  }
  return group;
}

/**
 * A bent line with its head, both in pixels, that ends `gap` before its aim. It always bends to the left of its way, so
 * that there and back differ.
 */
function arrow(
  [x0, y0]: [number, number],
  [aimX, aimY]: [number, number],
  t: number,
  gap: number,
): { line: string; head: string } {
  const [dx, dy] = [aimX - x0, aimY - y0];
  const far = Math.hypot(dx, dy) || 1;
  const bend = 0.22;
  const [cx, cy] = [(x0 + aimX) / 2 + bend * dy, (y0 + aimY) / 2 - bend * dx];
  // The way in which the curve ends; the head lies on it.
  const [ex, ey] = [aimX - cx, aimY - cy];
  const end = Math.hypot(ex, ey) || 1;
  const [ux, uy] = [ex / end, ey / end];
  const short = Math.min(gap + 1, 0.5 * far);
  const [x1, y1] = [aimX - short * ux, aimY - short * uy];
  const long = Math.min(0.3 * far, 6 + 1.3 * t);
  const half = 3 + 0.75 * t;
  const [bx, by] = [x1 - long * ux, y1 - long * uy];
  const n = (value: number): string => value.toFixed(1);
  return {
    line: `M${n(x0)},${n(y0)}Q${n(cx)},${n(cy)} ${n(bx)},${n(by)}`,
    head: `M${n(x1)},${n(y1)}L${n(bx - half * uy)},${n(by + half * ux)}L${n(bx + half * uy)},${n(by - half * ux)}Z`,
  };
}

/** Names of the places with the largest numbers, as far as they do not cover each other. */
function names(
  cells: readonly Cell[],
  found: ReadonlyMap<string, Spot>,
  point: (value: string) => [number, number],
  edge: (value: string) => number,
  width: number,
  context: Context,
): SVGElement[] {
  const size = new Map<string, number>();
  for (const { row, column, estimate } of cells) {
    for (const value of new Set([row, column])) size.set(value, Math.max(size.get(value) ?? 0, estimate.few ? 0 : estimate.count));
  }
  const boxes: { left: number; right: number; y: number }[] = [];
  const written: SVGElement[] = [];
  for (const value of [...size.keys()].sort((a, b) => size.get(b)! - size.get(a)!)) {
    if (written.length >= NAMES) break;
    const text = found.get(value)!.label;
    const half = widthOf(text, SIZE) / 2 + 3;
    const [px, py] = point(value);
    const x = Math.min(Math.max(px, half), width - half);
    const away = edge(value) + 6;
    const y = py - away > SIZE ? py - away : py + away + SIZE;
    const box = { left: x - half, right: x + half, y };
    if (boxes.some((other) => other.left < box.right && box.left < other.right && Math.abs(other.y - y) < SIZE + 3)) continue;
    boxes.push(box);
    written.push(
      label(context, text, { x, y, side: "middle" }, {
        "font-size": SIZE,
        "font-weight": 600,
        stroke: "var(--paper)",
        "stroke-width": 3,
        "stroke-linejoin": "round",
        "paint-order": "stroke",
        "pointer-events": "none",
        "aria-hidden": "true",
      }),
    );
  }
  return written;
}
