/** From where people came to where they were exploited: a band for each pair of places. */

import { keyItem, SHAPES } from "../export/key";
import type { KeyItem } from "../export/index";
import type { Context } from "../layout/context";
import { s } from "../layout/dom";
import type { Cell, Item } from "./data";
import { frame, type Mark, mark, nothing } from "./frame";
import { cut, drawing, label, widthOf } from "./svg";

export interface Flows {
  title: string;
  /** Names of the two columns. */
  originName: string;
  destinationName: string;
  origins: readonly Item[];
  destinations: readonly Item[];
  /** row: origin, column: destination. */
  cells: readonly Cell[];
}

export interface FlowsOptions {
  width: number;
  chosen?: (origin: string, destination: string) => boolean;
  onPick?: (origin: string, destination: string) => void;
}

/** More bands than this cannot be told apart; the table has all. */
export const MOST_FLOWS = 40;

const SIZE = 13;
const NODE = 10;
const GAP = 12;
/** Height of a band that is too few to tell: it says that there may be something, not how much. */
const THIN = 5;
const LEAST = 14;

/** The flows to draw, largest first: those that can be told, then those that cannot. */
export function drawn(cells: readonly Cell[], most: number): Cell[] {
  const rank = (cell: Cell): number => (cell.estimate.few ? -1 / (1 + cell.estimate.upper) : cell.estimate.count);
  const some = cells.filter((cell) => cell.estimate.upper > 0);
  return some.sort((a, b) => rank(b) - rank(a)).slice(0, most);
}

interface Node {
  item: Item;
  /** In pixels. */
  height: number;
  y: number;
  used: number;
}

function stack(items: readonly Item[], height: (value: string) => number, order: ReadonlyMap<string, number>): Map<string, Node> {
  const nodes = new Map<string, Node>();
  let y = 0;
  const used = items.filter((item) => order.has(item.value)).sort((a, b) => order.get(b.value)! - order.get(a.value)!);
  for (const item of used) {
    const own = height(item.value);
    nodes.set(item.value, { item, height: own, y, used: 0 });
    y += Math.max(own, LEAST) + GAP;
  }
  return nodes;
}

/** What colours and lines of flows mean, as far as they occur. */
export function keyOfFlows(same: readonly Cell[], crossed: readonly Cell[], shapes: { same: string; crossed: string }, { words }: Context): KeyItem[] {
  const told = (cells: readonly Cell[]): boolean => cells.some((cell) => !cell.estimate.few);
  const solid = (text: string, path: string, colour: string): KeyItem => keyItem(text, path, { fill: colour, stroke: colour });
  return [
    ...(told(same) ? [solid(words("flows.same"), shapes.same, "var(--accent-2)")] : []),
    ...(told(crossed) ? [solid(words("flows.crossed"), shapes.crossed, "var(--accent)")] : []),
    ...([...same, ...crossed].some((cell) => cell.estimate.few) ? [keyItem(words("estimate.few"), SHAPES.band, { stroke: "var(--few)", dashes: "3 3" })] : []),
  ];
}

/** How far down a column of places reaches. */
function depth(nodes: ReadonlyMap<string, Node>): number {
  return Math.max(0, ...[...nodes.values()].map((node) => node.y + Math.max(node.height, LEAST)));
}

export function flows(data: Flows, options: FlowsOptions, context: Context): HTMLElement {
  const { words } = context;
  const cells = drawn(data.cells, MOST_FLOWS);
  if (cells.length === 0) return nothing(data.title, context);
  const right = context.dir === "rtl";
  const { width } = options;

  const total = (of: "row" | "column"): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const cell of cells) sums.set(cell[of], (sums.get(cell[of]) ?? 0) + (cell.estimate.few ? 0 : cell.estimate.count));
    return sums;
  };
  const [from, to] = [total("row"), total("column")];
  const all = [...from.values()].reduce((a, b) => a + b, 0) || 1;
  const perPerson = Math.min(420, 0.8 * width + 60) / all;
  const thick = (cell: Cell): number => (cell.estimate.few ? THIN : Math.max(1, perPerson * cell.estimate.count));
  const high = (of: "row" | "column") => (value: string): number =>
    cells.filter((cell) => cell[of] === value).reduce((sum, cell) => sum + thick(cell), 0);
  const origins = stack(data.origins, high("row"), from);
  const destinations = stack(data.destinations, high("column"), to);

  const widest = Math.max(...[...data.origins, ...data.destinations].map((item) => widthOf(item.label, SIZE)));
  const side = Math.min(0.28 * width, widest + 10);
  const head = 26;
  const tall = Math.max(depth(origins), depth(destinations));
  const svg = drawing(width, head + tall + 4, data.title);
  const mirror = (x: number): number => (right ? width - x : x);
  const [x0, x1] = [side + NODE, width - side - NODE];

  svg.append(
    label(context, cut(data.originName, width / 2 - 8, SIZE), { x: mirror(0), y: 13, side: right ? "right" : "left" }, { fill: "var(--ink-2)" }),
    label(context, cut(data.destinationName, width / 2 - 8, SIZE), { x: mirror(width), y: 13, side: right ? "left" : "right" }, { fill: "var(--ink-2)" }),
  );
  // Bands leave a place in the order in which their ends lie, so that they cross as little as they can.
  const place = (nodes: Map<string, Node>) => (value: string): number => [...nodes.keys()].indexOf(value);
  const [ofOrigin, ofDestination] = [place(origins), place(destinations)];
  const ordered = [...cells].sort(
    (a, b) => ofOrigin(a.row) - ofOrigin(b.row) || ofDestination(a.column) - ofDestination(b.column),
  );
  const start = new Map<Cell, number>();
  const end = new Map<Cell, number>();
  const lay = (list: readonly Cell[], nodes: Map<string, Node>, of: "row" | "column", into: Map<Cell, number>): void => {
    for (const cell of list) {
      const node = nodes.get(cell[of])!;
      into.set(cell, head + node.y + node.used);
      node.used += thick(cell);
    }
  };
  lay(ordered, origins, "row", start);
  lay(
    [...cells].sort((a, b) => ofDestination(a.column) - ofDestination(b.column) || ofOrigin(a.row) - ofOrigin(b.row)),
    destinations,
    "column",
    end,
  );

  const labelOf = (items: readonly Item[], value: string): string => items.find((item) => item.value === value)?.label ?? value;
  const isSame = (cell: Cell): boolean => labelOf(data.origins, cell.row) === labelOf(data.destinations, cell.column);
  const marks: Mark[] = ordered.map((cell, i) => {
    const { estimate } = cell;
    const t = thick(cell);
    const [y0, y1] = [start.get(cell)!, end.get(cell)!];
    const half = (x0 + x1) / 2;
    const curve = (a: number, b: number): string => `C${mirror(half)},${a} ${mirror(half)},${b}`;
    const band = (inset: number): string => {
      const [a, b, c, d] = [y0 + inset, y1 + inset, y1 + t - inset, y0 + t - inset];
      return `M${mirror(x0)},${a}${curve(a, b)} ${mirror(x1)},${b}L${mirror(x1)},${c}${curve(c, d)} ${mirror(x0)},${d}Z`;
    };
    const colour = isSame(cell) ? "var(--accent-2)" : "var(--accent)";
    const shapes = estimate.few
      ? [
          s("path", {
            d: `M${mirror(x0)},${y0 + t / 2}${curve(y0 + t / 2, y1 + t / 2)} ${mirror(x1)},${y1 + t / 2}`,
            fill: "none",
            stroke: "var(--few)",
            "stroke-width": 1.5,
            "stroke-dasharray": "4 4",
          }),
        ]
      : [
          s("path", { d: band(0), class: "linked-band", fill: colour, "fill-opacity": 0.3 }),
          s("path", {
            d: band((t / 2) * (1 - Math.min(1, Math.max(0, estimate.lower) / Math.max(1, estimate.count)))),
            fill: colour,
            "fill-opacity": 0.45,
          }),
          ...(estimate.source === "records"
            ? [s("path", { d: band(0), fill: "none", stroke: colour, "stroke-width": 1, "stroke-dasharray": "3 3" })]
            : []),
        ];
    const name = words("flows.pair", { from: labelOf(data.origins, cell.row), to: labelOf(data.destinations, cell.column) });
    const pick = options.onPick && {
      chosen: options.chosen?.(cell.row, cell.column) ?? false,
      act: () => options.onPick!(cell.row, cell.column),
    };
    return mark(context, { row: i, column: 0 }, name, estimate, pick ?? null, ...shapes, s("path", { d: band(0), class: "linked-halo", fill: "none" }));
  });
  // Thin bands above thick ones, that all can be pointed at; the order of keys stays that of the places.
  const byWidth = marks.map((one, i) => ({ one, t: thick(ordered[i]!) })).sort((a, b) => b.t - a.t);
  svg.append(...byWidth.map(({ one }) => one.element));

  const post = (node: Node, x: number, side_: "left" | "right", room: number): void => {
    const y = head + node.y;
    svg.append(
      s("rect", { x: Math.min(mirror(x), mirror(x + NODE)), y, width: NODE, height: Math.max(1, node.height), fill: "var(--ink-2)" }),
      label(context, cut(node.item.label, room, SIZE), {
        x: mirror(side_ === "right" ? x - 6 : x + NODE + 6),
        y: y + Math.max(node.height, LEAST - 3) / 2 + 4.5,
        side: (side_ === "right") === right ? "left" : "right",
      }),
    );
  };
  for (const node of origins.values()) post(node, side, "right", side - 8);
  for (const node of destinations.values()) post(node, x1, "left", side - 8);

  const left = data.cells.length - cells.length;
  return frame(
    {
      title: data.title,
      help: words("flows.help"),
      svg,
      marks,
      heads: [data.originName, data.destinationName],
      rows: data.cells.map((cell) => ({
        labels: [labelOf(data.origins, cell.row), labelOf(data.destinations, cell.column)],
        estimate: cell.estimate,
      })),
      key: keyOfFlows(cells.filter(isSame), cells.filter((cell) => !isSame(cell)), { same: SHAPES.box, crossed: SHAPES.box }, context),
      notes: left > 0 ? [words("flows.more", { n: left })] : [],
    },
    context,
  );
}
