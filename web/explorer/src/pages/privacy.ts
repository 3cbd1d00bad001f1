/** The promise: what it hides, what it does not, and every field of the statement. */

import { formatShare } from "../i18n/index";
import type { Context } from "../layout/context";
import { h } from "../layout/dom";
import type { StatementData } from "../payload";

type Json = unknown;

/** Language of the statement, whatever the page's. */
const ENGLISH = "en";

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function privacyPage(statement: StatementData, context: Context): HTMLElement {
  const { words } = context;
  const document = statement.document;
  const number = (name: string): number | null => (typeof document[name] === "number" ? (document[name] as number) : null);
  const text = (name: string): string => (typeof document[name] === "string" ? (document[name] as string) : "");
  const list = (name: string): string[] => (Array.isArray(document[name]) ? (document[name] as Json[]).map(String) : []);
  const epsilon = number("epsilon");
  const delta = number("delta");
  const facts: [string, string, string][] = [
    [words("privacy.guarantee"), text("guarantee") === "differential-privacy" ? words("privacy.differential") : text("guarantee"), ""],
    [words("privacy.unit"), text("unit"), ""],
    [words("privacy.epsilon"), epsilon === null ? "" : plain(epsilon, context), words("privacy.epsilonHelp")],
    [words("privacy.delta"), delta === null ? "" : plain(delta, context), words("privacy.deltaHelp")],
    [words("privacy.factor"), epsilon === null ? "" : `× ${context.number(Math.ceil(100 * Math.exp(Math.min(epsilon, 700))) / 100)}`, ""],
    [words("privacy.length"), words("quality.lengthOf", { n: statement.length }), ""],
    [words("privacy.level"), formatShare(context.lang, statement.level, 1), ""],
  ];
  return h(
    "div",
    { class: "prose-page" },
    h("blockquote", { class: "promise", dir: "auto", lang: ENGLISH }, statement.sentence),
    h(
      "div",
      { class: "pair" },
      card(words("privacy.hides"), h("p", {}, words("privacy.hidesText")), items(statement.strength), text("neighbours") !== "" && h("p", { class: "quiet", dir: "auto", lang: ENGLISH }, sentence(text("neighbours")))),
      card(words("privacy.not"), h("p", {}, words("privacy.notText")), items(statement.limits)),
    ),
    h("h3", {}, words("privacy.details")),
    h(
      "dl",
      { class: "facts" },
      ...facts.filter(([, value]) => value !== "").map(([name, value, help]) => h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", { dir: "auto" }, value), help !== "" && h("span", { class: "quiet", dir: "auto" }, help)))),
    ),
    statement.threshold !== "" && card(words("privacy.threshold"), h("p", { dir: "auto", lang: ENGLISH }, statement.threshold)),
    card(words("privacy.reading"), items(statement.reading)),
    sentences(words("privacy.public"), list("public")),
    sentences(words("privacy.discovered"), list("discovered")),
    mechanisms(document["mechanisms"], context),
    h(
      "details",
      { class: "document" },
      h("summary", {}, words("privacy.document")),
      tree(document),
    ),
  );
}

/** Items of STATEMENT.md, which is in English. */
function items(list: readonly string[]): HTMLElement {
  return h("ul", { class: "sentences", lang: ENGLISH, dir: "ltr" }, ...list.map((text) => h("li", {}, ...marked(text))));
}

/** Markdown of bold, code and escapes as elements. */
export function marked(text: string): (Node | string)[] {
  return text.split(/(\*\*.+?\*\*|`[^`]+`)/).map((part) => {
    const bare = (inner: string): string => inner.replace(/\\(.)/g, "$1");
    if (part.startsWith("**")) return h("strong", {}, bare(part.slice(2, -2)));
    return part.startsWith("`") ? h("code", {}, part.slice(1, -1)) : bare(part);
  });
}

/** Small numbers as people write them: 6 × 10⁻⁶ rather than 0. */
function plain(value: number, context: Context): string {
  if (value === 0 || value >= 0.001) return context.number(value);
  const power = Math.floor(Math.log10(value));
  const digits = [...String(-power)].map((d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)]).join("");
  return `${context.number(Number((value / 10 ** power).toPrecision(3)))} × 10⁻${digits}`;
}

/** With a capital and a full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toLocaleUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function card(title: string, ...children: (Node | false)[]): HTMLElement {
  return h("section", { class: "card" }, h("h3", {}, title), ...children);
}

function sentences(title: string, list: readonly string[]): HTMLElement | null {
  if (list.length === 0) return null;
  return card(title, h("ul", { class: "sentences" }, ...list.map((text) => h("li", { dir: "auto", lang: ENGLISH }, sentence(text)))));
}

/** Events of the ledger: what was counted with noise, and how much all of it tells (mu). */
function mechanisms(raw: Json, context: Context): HTMLElement | null {
  if (!Array.isArray(raw) || raw.length === 0) return null;
  const events = raw.filter(isObject).map((event) =>
    h(
      "li",
      { dir: "auto", lang: ENGLISH },
      h("strong", {}, String(event["label"] ?? "")),
      typeof event["mu"] === "number" && ` (μ ${event["mu"].toPrecision(3)})`,
      `: ${String(event["detail"] ?? "")}`,
    ),
  );
  return card(context.words("privacy.mechanisms"), h("ul", { class: "sentences" }, ...events));
}

/** Every field of the document, as it is. */
function tree(value: Json): HTMLElement {
  if (Array.isArray(value)) return h("ul", {}, ...value.map((one) => h("li", {}, tree(one))));
  if (isObject(value)) {
    return h("dl", { class: "tree" }, ...Object.entries(value).map(([name, one]) => h("div", {}, h("dt", {}, name), h("dd", {}, tree(one)))));
  }
  return h("span", { dir: "auto" }, value === null || value === "" ? "–" : String(value));
}
