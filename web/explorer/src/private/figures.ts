/** Two kinds of figures of a private report: dots on lines, and lines over bands. Shapes tell series apart, not colours alone. */

import type { KeyItem } from "../export/index";
import type { Context } from "../layout/context";
import { type Cell, keyItem, type Line, names, Plot, PLOT_STYLE, plotFigure, plotWidth, SHAPES } from "../pages/plot";
import { textOf } from "./format";

/** How a series is drawn, and how its key is. */
interface Look {
  symbol: "circle" | "square" | "triangle" | "diamond2" | "times";
  stroke: string;
  fill: string;
}

const LOOKS: readonly Look[] = [
  { symbol: "circle", stroke: "var(--accent)", fill: "var(--accent)" },
  { symbol: "square", stroke: "var(--ink)", fill: "var(--paper-2)" },
  { symbol: "times", stroke: "var(--ink-2)", fill: "none" },
  { symbol: "triangle", stroke: "var(--accent-2)", fill: "var(--accent-2)" },
  { symbol: "diamond2", stroke: "var(--ink-2)", fill: "var(--ink-2)" },
];

/** A value, and the text that stands for it; null where there is none. */
export type Value = Cell | null;

export interface Rows {
  title: string;
  /** Head of the first column of the table. */
  head: string;
  /** Below the axis. */
  axis: string;
  series: readonly string[];
  rows: readonly { name: string; values: readonly Value[] }[];
  /** Shares, from 0 to 100%. */
  share?: (value: number) => string;
}

const numberOf = (value: Value | undefined): number | null => (value && typeof value !== "string" ? value.value : null);

function lines({ rows }: Rows): Line[] {
  return rows.map(({ name, values }): Cell[] => [name, ...values.map((value) => value ?? "–")]);
}

function key(series: readonly string[]): KeyItem[] {
  return series.map((name, i) => keyItem(name, SHAPES[LOOKS[i]!.symbol], LOOKS[i]!));
}

interface Point {
  name: string;
  value: number;
  text: string;
}

function points(of: Rows, i: number): Point[] {
  return of.rows.flatMap(({ name, values }) => {
    const value = numberOf(values[i]);
    return value === null ? [] : [{ name, value, text: textOf(values[i]!) }];
  });
}

/** Ends of an axis of shares: the whole where it is needed, and never so little that nothing looks like much. */
const ENDS = [0.1, 0.2, 0.5, 1];

function scale(of: Rows, context: Context): Plot.ScaleOptions {
  const values = of.rows.flatMap((row) => row.values.map((value) => numberOf(value) ?? 0));
  const most = Math.max(0, ...values);
  const base = { label: of.axis, labelArrow: "none" as const, grid: true, ticks: plotWidth() < 400 ? 3 : 5 };
  if (!of.share) return { ...base, zero: true, nice: true, tickFormat: context.number };
  return { ...base, domain: [0, ENDS.find((end) => most <= end) ?? 1], tickFormat: of.share };
}

/** A line for each row with a dot for each series; the number beside the first one where there is one series. */
export function dots(of: Rows, context: Context): HTMLElement {
  const width = plotWidth();
  const left = Math.min(190, 0.42 * width);
  const one = of.series.length === 1;
  const most = Math.max(...of.rows.map(({ name }) => Math.ceil((7.2 * name.length) / left)));
  const figure = Plot.plot({
    width,
    height: 74 + (one ? 38 : 30) * of.rows.length + (most > 1 ? 14 * of.rows.length : 0),
    marginTop: 16,
    marginBottom: 46,
    marginLeft: left,
    marginRight: 34,
    style: PLOT_STYLE,
    x: { ...scale(of, context), labelAnchor: "center", insetLeft: 8 },
    y: { domain: of.rows.map((row) => row.name), label: null },
    marks: [
      names(left),
      ...of.series
        .map((_, i) => {
          const { symbol, stroke, fill } = LOOKS[i]!;
          return Plot.dot(points(of, i), { y: "name", x: "value", r: i === 1 ? 6.5 : 5, symbol, stroke, fill, strokeWidth: 1.6 });
        })
        // The first series, the release, is drawn above what it is held against.
        .reverse(),
      one ? Plot.text(points(of, 0), { y: "name", x: "value", text: "text", dy: -13, fill: "var(--ink)" }) : null,
    ],
  });
  return plotFigure(of.title, figure, [of.head, ...of.series], lines(of), context, one ? [] : key(of.series));
}

/** Rows are bands in order, from the left; a line for each series. */
export function bands(of: Rows, below: string, context: Context): HTMLElement {
  const figure = Plot.plot({
    width: plotWidth(),
    height: 280,
    marginTop: 16,
    marginBottom: 62,
    marginLeft: 56,
    marginRight: 24,
    style: PLOT_STYLE,
    x: { type: "point", domain: of.rows.map((row) => row.name), padding: 0.35 },
    y: { ...scale(of, context), label: null },
    marks: [
      Plot.axisX({ label: below, labelAnchor: "center", labelArrow: "none", lineWidth: plotWidth() / of.rows.length / 15 }),
      ...of.series.flatMap((_, i) => {
        const { symbol, stroke, fill } = LOOKS[i]!;
        const here = points(of, i);
        return [
          Plot.lineY(here, { x: "name", y: "value", stroke, strokeWidth: 1.6 }),
          Plot.dot(here, { x: "name", y: "value", r: 5, symbol, stroke, fill, strokeWidth: 1.6 }),
        ];
      }),
    ],
  });
  return plotFigure(of.title, figure, [of.head, ...of.series], lines(of), context, key(of.series));
}
