/** What every part of the page needs to speak: words, numbers, direction, and the promise for footers. */

import { direction, formatNumber, type Lang, makeWords, type Words } from "../i18n/index";

export interface Context {
  readonly lang: Lang;
  readonly dir: "ltr" | "rtl";
  readonly words: Words;
  readonly number: (n: number) => string;
  /** Title of the release and its promise in one sentence, for the footer of figures. */
  readonly footer: string;
  /** The page holds numbers made from the true rows. */
  readonly isPrivate: boolean;
  /** Share of the intervals that hold the true count. */
  readonly level: number;
  /** Who is counted in the figures, where that is not said by their titles. */
  readonly subject?: string;
}

export function makeContext(lang: Lang, footer: string, isPrivate = false, level = 0.95): Context {
  const words = makeWords(lang);
  const whole = isPrivate ? `${words("private.warning")}\n${footer}` : footer;
  return { lang, dir: direction(lang), words, number: (n) => formatNumber(lang, n), footer: whole, isPrivate, level };
}

/** A column's or table's name as words: 'means_of_control' becomes 'Means of control'. */
export function heading(name: string): string {
  const words = name.replace(/_+/g, " ").trim() || name;
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

/** A table's name within a sentence. */
export function inSentence(name: string): string {
  return name.replace(/_+/g, " ");
}
