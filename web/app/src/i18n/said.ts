/** Sentences of the engine, said in the page's language. */

import type { Said, SaidValue } from "../contract";
import { direction, type Key, type Lang, translations, type Words } from "./index";

/** The sentence; null for a code that this page does not know. */
export function spoken(words: Words, lang: Lang, said: Said): string | null {
  const say = (one: Said): string => {
    const values = Object.entries(one.values).map(([name, value]) => [name, put(value)] as const);
    return words(`said.${one.code}` as Key, Object.fromEntries(values));
  };
  const put = (value: SaidValue): string | number => {
    if (typeof value === "number") return value;
    if (typeof value === "string") return apart(lang, value);
    if (Array.isArray(value)) return value.map(say).join(lang === "ar" ? "؛ " : lang === "fr" ? " ; " : "; ");
    if ("code" in value) return say(value);
    const empty = words(value.joint === "or" ? "said.words.empty" : "said.words.emptyCell");
    const listed = value.words.map((word) => (word === "" ? empty : quoted(lang, word)));
    if (value.more > 0) listed.push(words("said.words.others", { n: value.more }));
    return new Intl.ListFormat(lang === "en" ? "en-GB" : lang, { type: value.joint === "or" ? "disjunction" : "conjunction" }).format(listed);
  };
  return known(said) ? say(said) : null;
}

function known(value: SaidValue): boolean {
  if (Array.isArray(value)) return value.every(known);
  if (typeof value !== "object" || "words" in value) return true;
  return `said.${value.code}` in translations.en && Object.values(value.values).every(known);
}

function quoted(lang: Lang, word: string): string {
  return lang === "en" ? `"${word}"` : lang === "fr" ? `« ${apart(lang, word)} »` : `«${apart(lang, word)}»`;
}

/** A name that keeps its own direction, in text that runs from right to left. */
function apart(lang: Lang, name: string): string {
  return direction(lang) === "rtl" ? `\u2068${name}\u2069` : name;
}
