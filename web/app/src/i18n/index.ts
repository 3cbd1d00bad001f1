/** Words of the application, a file for each language; how numbers and forms are written is the explorer's. */

import { formatNumber, type Lang, type Message } from "../../../explorer/src/i18n/index";
import { ar } from "./ar";
import { en } from "./en";
import { es } from "./es";
import { fr } from "./fr";

export { direction, formatNumber, formatShare, type Lang, languages, type Message, pick } from "../../../explorer/src/i18n/index";

export type Key = keyof typeof en;
export type Translation = Record<Key, Message>;
export type Values = Record<string, string | number>;
export type Words = (key: Key, values?: Values) => string;

export const translations: Record<Lang, Translation> = { en, fr, es, ar };

export function makeWords(lang: Lang): Words {
  const words = translations[lang];
  const rules = new Intl.PluralRules(lang);
  return (key, values = {}) => {
    const message = words[key];
    const text = typeof message === "string" ? message : (message[rules.select(Number(values["n"] ?? 0))] ?? message.other);
    return text.replace(/\{(\w+)\}/g, (place: string, name: string) => {
      const value = values[name];
      if (value === undefined) return place;
      return typeof value === "number" ? formatNumber(lang, value) : value;
    });
  };
}
