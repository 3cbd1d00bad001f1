/**
 * Words of the page in one place per language, typed by the English ones.
 *
 * A text has places in braces. A number put into one is written as the language writes numbers; a text is put in as
 * it is. A text with several forms chooses among them by the value named `n` (Intl.PluralRules).
 */

import { ar } from "./ar";
import { en } from "./en";
import { es } from "./es";
import { fr } from "./fr";

export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
export type Message = string | Forms;
export type Key = keyof typeof en;
export type Translation = Record<Key, Message>;
export type Lang = "en" | "fr" | "es" | "ar";
export type Values = Record<string, string | number>;
export type Words = (key: Key, values?: Values) => string;

export interface Language {
  readonly code: Lang;
  /** In the language itself. */
  readonly name: string;
  readonly dir: "ltr" | "rtl";
}

export const languages: readonly Language[] = [
  { code: "en", name: "English", dir: "ltr" },
  { code: "fr", name: "Français", dir: "ltr" },
  { code: "es", name: "Español", dir: "ltr" },
  { code: "ar", name: "العربية", dir: "rtl" },
];

export const translations: Record<Lang, Translation> = { en, fr, es, ar };

// Numbers keep Western digits in Arabic too: those of the counts files, so that both can be compared.
const LOCALES: Record<Lang, string> = { en: "en", fr: "fr", es: "es", ar: "ar-u-nu-latn" };
const numbers = new Map<string, Intl.NumberFormat>();
const plurals = new Map<Lang, Intl.PluralRules>();

function format(lang: Lang, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${lang}${JSON.stringify(options)}`;
  let found = numbers.get(key);
  if (!found) numbers.set(key, (found = new Intl.NumberFormat(LOCALES[lang], options)));
  return found;
}

// Spanish leaves 3400 without its point otherwise, which then stands below 12.100. The types know it from ES2023 on.
const ALWAYS = { useGrouping: "always" } as unknown as Intl.NumberFormatOptions;

/** A number with the separators of the language. */
export function formatNumber(lang: Lang, n: number): string {
  return format(lang, { maximumFractionDigits: 3, ...ALWAYS }).format(n);
}

/** A short number for axes: 12K, 1.5M. */
export function formatShort(lang: Lang, n: number): string {
  return format(lang, { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

/** A share between 0 and 1 as a percentage; `digits` after the point. */
export function formatShare(lang: Lang, share: number, digits = 0): string {
  return format(lang, { style: "percent", maximumFractionDigits: digits }).format(share);
}

export function makeWords(lang: Lang): Words {
  const words = translations[lang];
  return (key, values = {}) => {
    const message = words[key];
    let text: string;
    if (typeof message === "string") text = message;
    else {
      let rules = plurals.get(lang);
      if (!rules) plurals.set(lang, (rules = new Intl.PluralRules(LOCALES[lang])));
      text = message[rules.select(Number(values["n"] ?? 0))] ?? message.other;
    }
    return text.replace(/\{(\w+)\}/g, (place: string, name: string) => {
      const value = values[name];
      if (value === undefined) return place;
      return typeof value === "number" ? formatNumber(lang, value) : value;
    });
  };
}

/** The first language of the reader that the page speaks; English where it speaks none of them. */
export function pick(wanted: readonly string[]): Lang {
  for (const one of wanted) {
    const code = one.toLowerCase().split(/[-_]/)[0];
    const found = languages.find((language) => language.code === code);
    if (found) return found.code;
  }
  return "en";
}

export function direction(lang: Lang): "ltr" | "rtl" {
  return languages.find((language) => language.code === lang)?.dir ?? "ltr";
}
