/** How good the release is, from protected numbers only. */

import { formatShare } from "../i18n/index";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import type { Payload, TableData } from "../payload";
import { type Cell, Plot, PLOT_STYLE, plotFigure, plotWidth, scrolled, simpleTable } from "./plot";
import { qualityOfLinks } from "./quality_links";

/** Agreement of some counts. */
interface Agreement {
  cells: number;
  rms_sigma: number;
  within_2_sigma: number;
}

interface Length extends Agreement {
  groups: number;
}

/**
 * Beyond these typical differences, in units of the noise, records follow the measurements less well. Few counts scatter
 * by chance: twice the standard deviation of their typical difference comes on top. How often this calls a good release
 * less than good is in docs/decisions/0006-band-of-the-explorer.md.
 */
const GOOD = 1.15;
const FAIR = 1.6;

/** From this count on sizes are not told apart, as in evaluation/fidelity.py. */
const LARGEST = 1000;

export type Verdict = "good" | "fair" | "poor";

/** The worst length decides. */
export function verdictOf(lengths: readonly { cells: number; rms_sigma: number }[]): Verdict {
  const excess = Math.max(...lengths.map(({ cells, rms_sigma }) => rms_sigma - 2 / Math.sqrt(2 * Math.max(1, cells))));
  return excess <= GOOD ? "good" : excess <= FAIR ? "fair" : "poor";
}

const SENTENCES = { good: "quality.sentenceGood", fair: "quality.sentenceFair", poor: "quality.sentencePoor" } as const;

export function qualityPage(payload: Payload, context: Context): HTMLElement {
  const { words } = context;
  const lengths = payload.quality["lengths"] as Record<string, Length> | undefined;
  const page = h("div", { class: "quality-page" }, h("p", { class: "lead" }, words("quality.intro")));
  if (lengths && Object.keys(lengths).length > 0) page.append(byLength(lengths, context));
  const sizes = payload.quality["sizes"] as Record<string, Agreement> | undefined;
  if (sizes && Object.keys(sizes).length > 0) page.append(bySize(sizes, context));
  for (const table of payload.tables) {
    page.append(spread(table, payload.tables.length > 1, context));
    page.append(published(table, payload, context));
  }
  const links = payload.quality["links"];
  if (links && payload.links) page.append(qualityOfLinks(links as Record<string, unknown>, payload, context));
  return page;
}

function byLength(lengths: Record<string, Length>, context: Context): HTMLElement {
  const { words, number } = context;
  const rows = Object.entries(lengths)
    .map(([length, of]) => ({ length: Number(length), name: words("quality.lengthOf", { n: Number(length) }), ...of }))
    .sort((a, b) => a.length - b.length);
  const heads = [words("quality.attributes"), words("quality.groups"), words("quality.cells"), words("quality.typical"), words("quality.within")];
  const lines = rows.map((row): Cell[] => [row.name, { value: row.groups, text: number(row.groups) }, ...agreement(row, context)]);
  return h(
    "section",
    { class: "card" },
    h("p", { class: "verdict" }, words(SENTENCES[verdictOf(rows)])),
    plotFigure(words("quality.byLength"), lollipops(rows, context), heads, lines, context),
    h("p", { class: "quiet" }, `${words("quality.typicalHelp")} ${words("quality.withinHelp")}`),
  );
}

/** By how many records have the combination: 0, 1 to 9, 10 to 99 and so on. */
function bySize(sizes: Record<string, Agreement>, context: Context): HTMLElement {
  const { words, number } = context;
  const least = Object.keys(sizes).map(Number).sort((a, b) => a - b);
  const name = (from: number): string => {
    if (from === 0) return number(0);
    if (from >= LARGEST) return words("linked.orMore", { value: number(from) });
    return words("estimate.range", { lower: from, upper: 10 * from - 1 });
  };
  const rows = least.map((from) => ({ name: name(from), ...sizes[String(from)]! }));
  const heads = [words("quality.size"), words("quality.cells"), words("quality.typical"), words("quality.within")];
  const lines = rows.map((row): Cell[] => [row.name, ...agreement(row, context)]);
  return h(
    "section",
    { class: "card" },
    plotFigure(words("quality.byCount"), lollipops(rows, context), heads, lines, context),
    h("p", { class: "quiet" }, words("quality.byCountHelp")),
  );
}

function agreement(row: Agreement, { number, lang }: Context): Cell[] {
  return [
    { value: row.cells, text: number(row.cells) },
    { value: row.rms_sigma, text: row.rms_sigma.toFixed(2) },
    { value: row.within_2_sigma, text: formatShare(lang, row.within_2_sigma, 1) },
  ];
}

/** The typical difference of each row, with a line at what noise alone makes. */
function lollipops(rows: readonly (Agreement & { name: string })[], { words }: Context): ReturnType<typeof Plot.plot> {
  const worst = Math.max(...rows.map((row) => row.rms_sigma));
  return Plot.plot({
    width: plotWidth(),
    height: 76 + 36 * rows.length,
    marginBottom: 44,
    marginTop: 24,
    marginLeft: 110,
    marginRight: 30,
    style: PLOT_STYLE,
    x: { domain: [0, Math.max(2, 1.1 * worst)], label: words("quality.typical"), labelAnchor: "center", labelArrow: "none" },
    y: { domain: rows.map((row) => row.name), label: null },
    marks: [
      Plot.ruleX([1], { stroke: "var(--ink-2)", strokeDasharray: "4 3" }),
      Plot.ruleY(rows, { y: "name", x1: 0, x2: "rms_sigma", stroke: "var(--accent)", strokeWidth: 3 }),
      Plot.dot(rows, { y: "name", x: "rms_sigma", r: 6, fill: "var(--accent)" }),
      Plot.text(rows, { y: "name", x: "rms_sigma", text: (row: Agreement) => row.rms_sigma.toFixed(2), dy: -13, fill: "var(--ink)" }),
    ],
  });
}

function spread(table: TableData, several: boolean, context: Context): HTMLElement {
  const { words, number } = context;
  const points = table.spread.size.map((size, i) => ({ size: Math.max(1, size), half: table.spread.half[i]! }));
  const title = several ? `${words("quality.spread")}: ${inSentence(table.name)}` : words("quality.spread");
  if (points.length === 0) return h("section", { class: "card" }, h("h3", {}, title), h("p", {}, words("linked.none")));
  const figure = Plot.plot({
    width: plotWidth(),
    height: 260,
    marginTop: 28,
    marginBottom: 44,
    marginLeft: 56,
    style: PLOT_STYLE,
    x: { type: "log", label: words("quality.size"), labelAnchor: "center", labelArrow: "none", ticks: 5, tickFormat: (n: number) => (Number.isInteger(Math.log10(n)) ? number(n) : "") },
    y: { zero: true, grid: true, ticks: 5, tickFormat: number, label: words("quality.half"), labelArrow: "none" },
    marks: [
      Plot.areaY(points, { x: "size", y: "half", fill: "var(--accent)", fillOpacity: 0.15 }),
      Plot.lineY(points, { x: "size", y: "half", stroke: "var(--accent)", strokeWidth: 2 }),
      Plot.dot(points, { x: "size", y: "half", r: 4, fill: "var(--accent)" }),
    ],
  });
  const heads = [words("quality.size"), words("quality.half")];
  const lines = points.map(({ size, half }): Cell[] => [{ value: size, text: number(size) }, { value: half, text: plusMinus(number(half)) }]);
  return h("section", { class: "card" }, plotFigure(title, figure, heads, lines, context), h("p", { class: "quiet" }, words("quality.spreadHelp")));
}

/** Read from left to right in every language. */
function plusMinus(text: string): string {
  return `\u2066± ${text}\u2069`;
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** Published combinations of a table by length: how many, how large, how sure. */
function published(table: TableData, payload: Payload, context: Context): HTMLElement {
  const { words, number } = context;
  const madeUp = payload.statement.document["expected_made_up"] as Record<string, number> | undefined;
  const byLength = new Map<number, number[]>();
  table.combinations.forEach((ids, i) => {
    const list = byLength.get(ids.length);
    if (list) list.push(i);
    else byLength.set(ids.length, [i]);
  });
  const rows = [...byLength].sort(([a], [b]) => a - b).map(([length, list]) => {
    const expected = madeUp?.[String(length)];
    return [
      words("quality.lengthOf", { n: length }),
      number(list.length),
      number(median(list.map((i) => table.count[i]!))),
      plusMinus(number(Math.round(median(list.map((i) => (table.upper[i]! - table.lower[i]!) / 2))))),
      expected === undefined ? "–" : formatShare(context.lang, expected, 1),
    ];
  });
  const title = `${words("quality.published")}: ${heading(table.name)}`;
  return h(
    "section",
    { class: "card" },
    h("h3", {}, title),
    h("p", {}, words("quality.publishedHelp")),
    scrolled(title, simpleTable(title, [words("quality.attributes"), words("quality.published"), words("quality.medianCount"), words("quality.medianHalf"), words("quality.madeUp")], rows)),
  );
}
