/** How well the records keep what holds across the link: pairs, numbers of links, links of one record among each other. */

import { capStandsForMore } from "../data/links";
import { formatShare } from "../i18n/index";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import type { Payload } from "../payload";
import { type Cell, keyItem, names as axisOfNames, Plot, PLOT_STYLE, plotFigure, plotWidth, SHAPES, simpleTable } from "./plot";

interface Across {
  rms_sigma: number;
  independent?: { rms_sigma: number };
  worst?: { attributes: string; rms_sigma: number };
}

interface Within {
  measured: number;
  synthetic: number;
  independent: number;
  interval: [number, number];
}

export function qualityOfLinks(raw: Record<string, unknown>, payload: Payload, context: Context): HTMLElement {
  const { words, number } = context;
  const links = payload.links!;
  const nameOf = (i: number): string => (i === links.most && capStandsForMore(payload) ? words("linked.orMore", { value: number(i) }) : number(i));
  const names = { people: inSentence(links.to), others: inSentence(links.table) };
  const section = h("section", { class: "card" }, h("h3", {}, words("quality.links")));
  const across = raw["across"] as Across | undefined;
  if (across) section.append(ofPairs(across, names, [links.to, links.table], context));
  const counts = raw["number"] as { noisy: number[]; synthetic: number[] } | undefined;
  if (counts) section.append(ofNumbers(counts, names, nameOf, context));
  const within = raw["within"] as Record<string, Within> | undefined;
  if (within && Object.keys(within).length > 0) section.append(alike(within, names, context));
  return section;
}

type Names = { people: string; others: string };

/** "victims.means_of_control=Debt bondage and perpetrators.role" in words. */
function plainly(attributes: string, tables: readonly string[]): string {
  let text = attributes;
  for (const table of tables) {
    const at = text.startsWith(`${table}.`) ? 0 : text.indexOf(` and ${table}.`) + 5;
    if (!text.startsWith(`${table}.`, at)) continue;
    const rest = text.slice(at + table.length + 1);
    const end = /=| and |$/.exec(rest)!.index;
    text = `${text.slice(0, at)}${heading(rest.slice(0, end))}${rest[end] === "=" ? `: ${rest.slice(end + 1)}` : rest.slice(end)}`;
  }
  return text;
}

function ofPairs(across: Across, names: Names, tables: readonly string[], context: Context): HTMLElement {
  const { words } = context;
  const rows: [string, number][] = [[words("quality.synthetic"), across.rms_sigma]];
  if (across.independent) rows.push([words("quality.independent"), across.independent.rms_sigma]);
  const title = words("quality.across", names);
  return h(
    "div",
    {},
    simpleTable(title, [words("estimate.source"), words("quality.typical")], rows.map(([name, value]) => [name, value.toFixed(2)])),
    across.worst ? h("p", { class: "quiet" }, words("quality.worst", { what: plainly(across.worst.attributes, tables) }), ` (${across.worst.rms_sigma.toFixed(2)})`) : null,
  );
}

function ofNumbers(counts: { noisy: number[]; synthetic: number[] }, names: Names, nameOf: (i: number) => string, context: Context): HTMLElement {
  const { words, lang } = context;
  const title = words("quality.number", names);
  const measured = words("quality.measured");
  const synthetic = words("quality.synthetic");
  const points = counts.noisy.flatMap((share, i) => [
    { number: nameOf(i), kind: measured, share },
    { number: nameOf(i), kind: synthetic, share: counts.synthetic[i] ?? 0 },
  ]);
  const figure = Plot.plot({
    width: plotWidth(),
    height: 286,
    marginBottom: 60,
    marginLeft: 50,
    style: PLOT_STYLE,
    fx: { domain: counts.noisy.map((_, i) => nameOf(i)), label: null, padding: 0.25 },
    x: { axis: null, domain: [measured, synthetic], padding: 0.1 },
    y: { grid: true, ticks: 5, label: null, tickFormat: (share: number) => formatShare(lang, share) },
    marks: [
      Plot.axisFx({ anchor: "bottom", label: title, labelAnchor: "center", labelArrow: "none", lineWidth: plotWidth() / counts.noisy.length / 17 }),
      Plot.barY(points, { fx: "number", x: "kind", y: "share", fill: (d: { kind: string }) => (d.kind === measured ? "var(--accent)" : "var(--accent-soft)"), stroke: "var(--accent)" }),
      Plot.ruleY([0], { stroke: "var(--ink-2)" }),
    ],
  });
  const share = (value: number): Cell => ({ value, text: formatShare(lang, value, 1) });
  const lines = counts.noisy.map((noisy, i): Cell[] => [nameOf(i), share(noisy), share(counts.synthetic[i] ?? 0)]);
  const key = [
    keyItem(measured, SHAPES.box, { fill: "var(--accent)", stroke: "var(--accent)" }),
    keyItem(synthetic, SHAPES.box, { fill: "var(--accent-soft)", stroke: "var(--accent)" }),
  ];
  return h("div", {}, plotFigure(title, figure, [title, measured, synthetic], lines, context, key));
}

function alike(within: Record<string, Within>, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const share = (x: number): string => formatShare(lang, x, 0);
  const rows = Object.entries(within).map(([name, of]) => ({ name: heading(name.replace("=", ": ")), ...of, low: of.interval[0], high: of.interval[1] }));
  const title = words("quality.alike", names);
  const left = Math.min(170, 0.42 * plotWidth());
  const figure = Plot.plot({
    width: plotWidth(),
    height: 50 + 28 * rows.length,
    marginLeft: left,
    marginRight: 24,
    style: PLOT_STYLE,
    x: { domain: [0, 1], label: null, tickFormat: share, ticks: 5, grid: true },
    y: { domain: rows.map((row) => row.name), label: null },
    marks: [
      axisOfNames(left),
      Plot.ruleY(rows, { y: "name", x1: "low", x2: "high", stroke: "var(--ink)", strokeWidth: 5, strokeOpacity: 0.35 }),
      Plot.dot(rows, { y: "name", x: "independent", r: 4, stroke: "var(--ink-2)", symbol: "times" }),
      Plot.dot(rows, { y: "name", x: "synthetic", r: 5.5, fill: "var(--accent)", stroke: "var(--paper)" }),
    ],
  });
  const heads = [words("quality.attributes"), words("quality.measured"), words("estimate.lower"), words("estimate.upper"), words("quality.synthetic"), words("quality.independent")];
  const cell = (value: number): Cell => ({ value, text: share(value) });
  const lines = rows.map((row): Cell[] => [row.name, ...[row.measured, row.low, row.high, row.synthetic, row.independent].map(cell)]);
  const key = [
    keyItem(words("quality.measured"), SHAPES.band, { stroke: "var(--ink)", width: 5, opacity: 0.35 }),
    keyItem(words("quality.synthetic"), SHAPES.circle, { fill: "var(--accent)" }),
    keyItem(words("quality.independent"), SHAPES.times, { stroke: "var(--ink-2)" }),
  ];
  return h("div", {}, plotFigure(title, figure, heads, lines, context, key));
}
