/** What attacks on the release found, beside their control, in words for somebody who has never attacked anything. */

import { formatShare, type Key } from "../i18n/index";
import { type Context, heading } from "../layout/context";
import { h } from "../layout/dom";
import { type Cell, names, Plot, PLOT_STYLE, plotFigure, plotWidth, scrolled, simpleTable } from "../pages/plot";
import { share, textOf } from "./format";
import type { AttackResult, AttacksReport, Excess } from "./report";

const NAMES: Record<string, Key> = {
  copying: "private.attackCopying",
  "singling out by a value": "private.attackValue",
  "singling out by a combination": "private.attackCombination",
  linkage: "private.attackLinkage",
  "inference from the nearest record": "private.attackNearest",
  "inference from counts": "private.attackCounts",
};
const STORIES: Record<string, [Key, Key]> = {
  copying: ["private.storyCopying", "private.storyCopying"],
  "singling out by a value": ["private.storyValue", "private.storyValue"],
  "singling out by a combination": ["private.storyCombination", "private.storyCombination"],
  linkage: ["private.storyLinkage", "private.storyLinkageAcross"],
  "inference from the nearest record": ["private.storyNearest", "private.storyNearestAcross"],
  "inference from counts": ["private.storyCounts", "private.storyCountsAcross"],
};
const VERDICTS: Record<string, Key> = {
  found: "private.verdictFound",
  "no sign": "private.verdictNoSign",
  "too few to tell": "private.verdictOpen",
  unknown: "private.verdictUnknown",
};
const OTHERS = "true rows of everybody else";

/** An attack on one table as a whole, with the verdict that also hears its columns. */
interface Row {
  name: string;
  result: AttackResult;
  verdict: string;
  columns: AttackResult[];
}

function rowsOf(attacks: AttacksReport, { words }: Context): Row[] {
  return attacks.headlines.flatMap(({ attack, table, verdict }) => {
    const own = attacks.results.filter((one) => one.attack === attack && one.table === table);
    const result = own.find(({ column }) => column === null);
    const key = NAMES[attack];
    const name = `${heading(table)}: ${key ? words(key) : attack}`;
    return result ? [{ name, result, verdict, columns: own.filter(({ column }) => column !== null) }] : [];
  });
}

export function partOfAttacks(attacks: AttacksReport, context: Context): HTMLElement {
  const { words } = context;
  const rows = rowsOf(attacks, context);
  return h(
    "section",
    {},
    h("h3", {}, words("private.attacks")),
    h("p", { class: "verdict" }, summary(rows, context)),
    h("p", {}, words("private.attacksHelp")),
    h("p", {}, control(attacks, context)),
    h("div", { class: "card" }, risks(rows, context), h("p", { class: "quiet" }, words("private.riskHelp", { share: formatShare(context.lang, attacks.miss) }))),
    h("p", {}, words(rows.some(({ verdict }) => verdict === "found") ? "private.adviceFound" : "private.adviceNone")),
    ...rows.map((row) => told(row, context)),
  );
}

function summary(rows: readonly Row[], { words }: Context): string {
  const number = (verdict: string): number => rows.filter((row) => row.verdict === verdict).length;
  const [found, open, unknown] = [number("found"), number("too few to tell"), number("unknown")];
  const first =
    found > 0
      ? words("private.attacksFound", { found, all: rows.length })
      : words(open + unknown === rows.length ? "private.attacksNoAnswer" : "private.attacksNone");
  const rest = [open > 0 ? words("private.attacksOpen", { number: open }) : "", unknown > 0 ? words("private.attacksUnknown", { number: unknown }) : ""];
  return [first, ...rest].filter((text) => text !== "").join(" ");
}

function control(attacks: AttacksReport, { words, number }: Context): string {
  const targets = words("private.targets", {
    targets: Object.entries(attacks.targets)
      .map(([table, n]) => `${heading(table)}: ${number(n)}`)
      .join("; "),
  });
  if (attacks.control === OTHERS) return `${words("private.controlOthers")} ${targets}`;
  const leftOut = attacks.also_in === null ? words("private.controlNoKey") : attacks.also_in > 0 ? words("private.controlAlsoIn", { rows: attacks.also_in }) : "";
  return [words("private.controlPeople", { people: attacks.control_people ?? 0 }), leftOut, targets].filter((text) => text !== "").join(" ");
}

const verdictOf = (verdict: string, { words }: Context): string => {
  const key = VERDICTS[verdict];
  return key ? words(key) : verdict;
};

/** 3.1% (0% to 8.4%): less than nothing is 0, and an interval below 0 is told in words. */
function riskOf(excess: Excess | null, context: Context): string {
  const { words } = context;
  if (!excess) return "";
  if (excess.upper < 0) return words("private.riskBelow");
  const [count, lower, upper] = [excess.value, excess.lower, excess.upper].map((value) => textOf(share(Math.max(0, value), context))) as [string, string, string];
  return words("estimate.full", { count, lower, upper });
}

function cells(name: string, result: AttackResult, verdict: string, context: Context): Cell[] {
  const often = (of: { value: number } | null): Cell => (of ? share(of.value, context) : "");
  return [name, often(result.success), often(result.control), riskOf(result.excess, context), verdictOf(verdict, context)];
}

function heads(first: string, { words }: Context): string[] {
  return [first, words("private.worked"), words("private.inControl"), words("private.risk"), words("private.verdict")];
}

function risks(rows: readonly Row[], context: Context): HTMLElement {
  const { words, lang } = context;
  const width = plotWidth();
  const left = Math.min(270, 0.46 * width);
  const points = rows.flatMap(({ name, result, verdict }) => {
    if (!result.excess) return [];
    const [value, lower, upper] = [result.excess.value, result.excess.lower, result.excess.upper].map((x) => Math.max(0, x)) as [number, number, number];
    return [{ name, value, lower, upper, found: verdict === "found" }];
  });
  const unknown = rows.filter(({ result }) => !result.excess);
  const figure = Plot.plot({
    width,
    height: 70 + (width < 400 ? 62 : 40) * rows.length,
    marginTop: 8,
    marginBottom: 46,
    marginLeft: left,
    marginRight: 24,
    style: PLOT_STYLE,
    x: { domain: [0, 1], label: words("private.risk"), labelAnchor: "center", labelArrow: "none", ticks: width < 400 ? 3 : 5, grid: true, tickFormat: (x: number) => formatShare(lang, x) },
    y: { domain: rows.map(({ name }) => name), label: null },
    marks: [
      names(left),
      Plot.ruleX([0], { stroke: "var(--ink)" }),
      Plot.ruleY(points, { y: "name", x1: "lower", x2: "upper", stroke: "var(--ink)", strokeWidth: 4, strokeOpacity: 0.45 }),
      Plot.dot(points, { y: "name", x: "value", r: 5, symbol: (d: { found: boolean }) => (d.found ? "diamond2" : "circle"), fill: (d: { found: boolean }) => (d.found ? "var(--alarm-ink)" : "var(--accent)") }),
      Plot.text(unknown, { y: "name", x: 0, text: () => words("private.verdictUnknown"), textAnchor: "start", dx: 8, fill: "var(--ink-2)" }),
    ],
  });
  const lines = rows.map(({ name, result, verdict }) => cells(name, result, verdict, context));
  return plotFigure(words("private.risk"), figure, heads(words("private.attack"), context), lines, context);
}

/** What the attacker does, how often it worked, and the columns it was after. */
function told({ name, result, verdict, columns }: Row, context: Context): HTMLElement {
  const { words, number } = context;
  const story = STORIES[result.attack]?.[result.across ? 1 : 0];
  const sentence =
    result.success && result.control
      ? words("private.workedOn", {
          times: number(result.success.times),
          trials: number(result.success.trials),
          share: textOf(share(result.success.value, context)),
          controlTimes: number(result.control.times),
          controlTrials: number(result.control.trials),
          controlShare: textOf(share(result.control.value, context)),
        })
      : "";
  return h(
    "div",
    { class: "card attack" },
    h("h4", {}, name),
    story && h("p", {}, words(story)),
    sentence !== "" && h("p", {}, sentence),
    result.unknown !== null && h("p", {}, `${words("private.verdictUnknown")}: `, h("span", { lang: "en", dir: "auto" }, result.unknown)),
    result.unknown === null && h("p", { class: verdict === "found" ? "found" : null }, [riskOf(result.excess, context), verdictOf(verdict, context)].filter((text) => text !== "").join(": ")),
    columns.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, words("private.columns")),
        scrolled(`${name}: ${words("private.columns")}`, simpleTable(name, heads(words("private.column"), context), columns.map((one) => cells(one.column ?? "", one, one.verdict, context)))),
      ),
  );
}
