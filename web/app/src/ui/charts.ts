/** Charts. Observable Plot is fetched (from the site) when the first one is drawn. */

import { direction } from "../i18n/index";
import type { Kit } from "./kit";
import { about, h } from "./kit";

type PlotModule = typeof import("@observablehq/plot");
type Marks = (plot: PlotModule, width: number) => Parameters<PlotModule["plot"]>[0];

let loaded: PlotModule | null = null;

/** A figure with its words; a table of the same numbers stands beside it wherever it is used. */
function figure(label: string, options: Marks): HTMLElement {
  const place = h("div", { class: "plot", role: "img", "aria-label": label });
  const draw = (plot: PlotModule): void => {
    const width = Math.max(280, Math.min(720, place.clientWidth || 480));
    const drawn = plot.plot({ width, style: { background: "transparent", overflow: "visible", fontSize: "12px" }, ...options(plot, width) });
    drawn.setAttribute("aria-hidden", "true");
    place.replaceChildren(drawn);
  };
  if (loaded) queueMicrotask(() => draw(loaded!));
  else void import("@observablehq/plot").then((plot) => draw((loaded = plot)));
  return place;
}

/** Where things are in a chart that begins on the left, or on the right where the language does. */
function sides(kit: Kit, start: number, end: number) {
  const right = direction(kit.lang) === "rtl";
  return {
    margins: right ? { marginLeft: end, marginRight: start } : { marginLeft: start, marginRight: end },
    x: right ? { reverse: true } : {},
    axis: right ? ("right" as const) : ("left" as const),
    far: right ? ("left" as const) : ("right" as const),
    after: right ? { dx: -6, textAnchor: "end" as const } : { dx: 6, textAnchor: "start" as const },
    /** A chart itself runs from left to right: its texts are told where they begin. */
    say: (text: string): string => (right ? `\u2067${text}\u2069` : text),
  };
}

const COLOURS = ["var(--accent)", "var(--accent-2)", "var(--few)", "var(--ink-2)"];

export interface Line {
  epsilon: number;
  length: number;
  within: number;
}

/** How far counts are off, by epsilon, a line for each length; the chosen epsilon is marked. */
export function forecastChart(kit: Kit, rows: readonly Line[], epsilon: number): HTMLElement {
  const { words, number } = kit;
  const lengths = [...new Set(rows.map((row) => row.length))].sort((a, b) => a - b);
  const side = sides(kit, 44, 90);
  const name = (n: number): string => side.say(words("forecast.of", { n }));
  return figure(`${words("forecast.title")}: ${words("forecast.axis")}`, (plot) => ({
    height: 280,
    ...side.margins,
    x: { ...side.x, type: "log", label: side.say(words("forecast.epsilon")), labelAnchor: side.far, ticks: [0.1, 0.2, 0.5, 1, 2, 5, 10], tickFormat: (n: number) => number(n), labelArrow: "none" },
    y: { axis: side.axis, type: "log", label: side.say(words("forecast.axis")), grid: true, ticks: 5, tickFormat: (n: number) => number(n), labelArrow: "none" },
    marks: [
      plot.ruleX([epsilon], { stroke: "var(--ink-2)", strokeDasharray: "4 3" }),
      ...lengths.flatMap((length, i) => {
        const line = rows.filter((row) => row.length === length && row.within > 0).sort((a, b) => a.epsilon - b.epsilon);
        const last = line.at(-1);
        const now = line.filter((row) => row.epsilon === epsilon);
        return [
          plot.line(line, { x: "epsilon", y: "within", stroke: COLOURS[i % 4]!, strokeWidth: 2 }),
          plot.dot(now, { x: "epsilon", y: "within", fill: COLOURS[i % 4]!, r: 5 }),
          plot.text(last ? [last] : [], { x: "epsilon", y: "within", text: () => name(length), ...side.after, fill: "var(--ink)" }),
        ];
      }),
    ],
  }));
}

export interface Bar {
  label: string;
  value: number;
  tick?: number;
}

export function bars(kit: Kit, label: string, data: readonly Bar[]): HTMLElement {
  const longest = Math.min(30, Math.max(4, ...data.map((bar) => bar.label.length)));
  const short = (name: string): string => (name.length > 30 ? `${name.slice(0, 29)}…` : name);
  const side = sides(kit, 16 + 7 * longest, 60);
  const names = data.map((bar, i) => ({ ...bar, row: String(i) }));
  return figure(label, (plot) => ({
    height: 34 + 26 * data.length,
    ...side.margins,
    x: { ...side.x, axis: null, label: null },
    y: { axis: side.axis, label: null, domain: names.map((bar) => bar.row), tickFormat: (row: string) => side.say(short(data[Number(row)]!.label)), tickSize: 0 },
    marks: [
      plot.barX(names, { x: "value", y: "row", fill: "var(--accent)", insetTop: 3, insetBottom: 3 }),
      plot.text(names, { x: (bar: Bar) => Math.max(bar.value, bar.tick ?? 0), y: "row", text: (bar: Bar) => about(kit, bar.value), ...side.after, fill: "var(--ink)" }),
      plot.tickX(names.filter((bar) => bar.tick !== undefined), { x: "tick", y: "row", stroke: "var(--accent-2)", strokeWidth: 3 }),
      plot.ruleX([0]),
    ],
  }));
}
