/** How well the records keep what holds across the link: pairs, numbers of links, links of one record among each other. */

import { formatShare } from "../i18n/index";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import type { LinkData } from "../payload";
import { Plot, plotFigure, simpleTable } from "./plot";

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

export function qualityOfLinks(raw: Record<string, unknown>, links: LinkData, context: Context): HTMLElement {
  const { words } = context;
  const names = { people: inSentence(links.to), others: inSentence(links.table) };
  const section = h("section", { class: "card" }, h("h3", {}, words("quality.links")));
  const across = raw["across"] as Across | undefined;
  if (across) section.append(ofPairs(across, names, context));
  const counts = raw["number"] as { noisy: number[]; synthetic: number[] } | undefined;
  if (counts) section.append(ofNumbers(counts, names, context));
  const within = raw["within"] as Record<string, Within> | undefined;
  if (within && Object.keys(within).length > 0) section.append(alike(within, names, context));
  return section;
}

type Names = { people: string; others: string };

function ofPairs(across: Across, names: Names, context: Context): HTMLElement {
  const { words } = context;
  const rows: [string, number][] = [[words("quality.synthetic"), across.rms_sigma]];
  if (across.independent) rows.push([words("quality.independent"), across.independent.rms_sigma]);
  const title = words("quality.across", names);
  return h(
    "div",
    {},
    simpleTable(title, [words("estimate.source"), words("quality.typical")], rows.map(([name, value]) => [name, value.toFixed(2)])),
    across.worst ? h("p", { class: "quiet" }, words("quality.worst", { what: across.worst.attributes }), ` (${across.worst.rms_sigma.toFixed(2)})`) : null,
  );
}

function ofNumbers(counts: { noisy: number[]; synthetic: number[] }, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const title = words("quality.number", names);
  const measured = words("quality.measured");
  const synthetic = words("quality.synthetic");
  const points = counts.noisy.flatMap((share, i) => [
    { number: String(i), kind: measured, share },
    { number: String(i), kind: synthetic, share: counts.synthetic[i] ?? 0 },
  ]);
  const figure = Plot.plot({
    width: 640,
    height: 270,
    marginBottom: 44,
    marginLeft: 50,
    style: { background: "transparent", color: "var(--ink)", fontSize: "13px" },
    fx: { label: title, labelAnchor: "center", labelArrow: "none", padding: 0.25 },
    x: { axis: null, domain: [measured, synthetic], padding: 0.1 },
    y: { grid: true, ticks: 5, label: null, tickFormat: (share: number) => formatShare(lang, share) },
    marks: [
      Plot.barY(points, { fx: "number", x: "kind", y: "share", fill: (d: { kind: string }) => (d.kind === measured ? "var(--accent)" : "var(--accent-soft)"), stroke: "var(--accent)" }),
      Plot.ruleY([0], { stroke: "var(--ink-2)" }),
    ],
  });
  const table = simpleTable(title, [title, measured, synthetic], counts.noisy.map((share, i) => [String(i), formatShare(lang, share, 1), formatShare(lang, counts.synthetic[i] ?? 0, 1)]));
  const key = h("p", { class: "key" }, h("span", { class: "swatch solid", "aria-hidden": "true" }), `${measured} `, h("span", { class: "swatch soft", "aria-hidden": "true" }), synthetic);
  return h("div", {}, plotFigure(title, figure, table, context), key);
}

function alike(within: Record<string, Within>, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const share = (x: number): string => formatShare(lang, x, 0);
  const rows = Object.entries(within).map(([name, of]) => ({ name: heading(name.replace("=", ": ")), ...of, low: of.interval[0], high: of.interval[1] }));
  const title = words("quality.alike", names);
  const figure = Plot.plot({
    width: 640,
    height: 50 + 28 * rows.length,
    marginLeft: 170,
    marginRight: 24,
    style: { background: "transparent", color: "var(--ink)", fontSize: "13px" },
    x: { domain: [0, 1], label: null, tickFormat: share, ticks: 5, grid: true },
    y: { domain: rows.map((row) => row.name), label: null },
    marks: [
      Plot.ruleY(rows, { y: "name", x1: "low", x2: "high", stroke: "var(--ink)", strokeWidth: 5, strokeOpacity: 0.35 }),
      Plot.dot(rows, { y: "name", x: "independent", r: 4, stroke: "var(--ink-2)", symbol: "times" }),
      Plot.dot(rows, { y: "name", x: "synthetic", r: 5.5, fill: "var(--accent)", stroke: "var(--paper)" }),
    ],
  });
  const table = simpleTable(
    title,
    [words("quality.attributes"), words("quality.measured"), words("estimate.lower"), words("estimate.upper"), words("quality.synthetic"), words("quality.independent")],
    rows.map((row) => [row.name, share(row.measured), share(row.low), share(row.high), share(row.synthetic), share(row.independent)]),
  );
  const key = h(
    "p",
    { class: "key" },
    h("span", { class: "swatch band", "aria-hidden": "true" }),
    `${words("quality.measured")} `,
    h("span", { class: "swatch dot", "aria-hidden": "true" }),
    `${words("quality.synthetic")} `,
    h("span", { class: "swatch times", "aria-hidden": "true" }, "×"),
    words("quality.independent"),
  );
  return h("div", {}, plotFigure(title, figure, table, context), key);
}
