import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Said } from "../src/contract";
import { type Key, languages, makeWords, type Message, translations } from "../src/i18n/index";
import { spoken } from "../src/i18n/said";

const keys = Object.keys(translations.en) as Key[];
const texts = (message: Message): string[] => (typeof message === "string" ? [message] : Object.values(message));
const places = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!))].sort();

test.each(languages)("$name has every text, and none that English has not", ({ code }) => {
  expect(Object.keys(translations[code]).sort()).toEqual([...keys].sort());
  for (const key of keys) for (const text of texts(translations[code][key])) expect(text.trim(), key).not.toBe("");
});

test.each(languages)("$name puts in what English puts in", ({ code }) => {
  for (const key of keys) {
    expect(places(texts(translations[code][key]).join(" ")), key).toEqual(places(texts(translations.en[key]).join(" ")));
  }
});

test.each(languages)("$name has all its plural forms", ({ code }) => {
  const wanted = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
  for (const key of keys) {
    if (typeof translations.en[key] === "string") expect(typeof translations[code][key], key).toBe("string");
    else expect(Object.keys(translations[code][key]).sort(), key).toEqual([...wanted].sort());
  }
});

test("no language repeats English, but for words that are the same in both", () => {
  const same = new Set(["engine.version", "forecast.epsilon"]);
  for (const code of ["fr", "es", "ar"] as const) {
    const repeated = keys.filter((key) => {
      const text = translations.en[key];
      return typeof text === "string" && text === translations[code][key] && /\p{L}{3}/u.test(text.replace(/\{\w+\}/g, ""));
    });
    expect(repeated.filter((key) => !same.has(key)), code).toEqual([]);
  }
});

/** Keys that are put together: the part before what varies. */
const MADE = /^(said|theme|engine|step|remark|kind|derive|outside|strength|fabrication|how)\./;

test("every text is used somewhere", () => {
  const source = ["src", "src/steps", "src/ui"]
    .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => readFileSync(join(folder, name), "utf8")))
    .join("\n");
  expect(keys.filter((key) => !source.includes(`"${key}"`) && !MADE.test(key))).toEqual([]);
});

test("words put in numbers as the language has them", () => {
  expect(makeWords("en")("rows", { n: 1 })).toBe("1 row");
  expect(makeWords("es")("prepare.kept", { kept: 3400, rows: 12100 })).toBe("Quedan 3.400 de 12.100 filas");
  expect(new Set([0, 1, 2, 3, 11, 100].map((n) => makeWords("ar")("rows", { n }).replace(/\d+/, ""))).size).toBe(6);
});

test("a sentence holds sentences and words, and an unknown code is left to its English", () => {
  const say = (lang: "en" | "fr" | "ar", said: Said): string | null => spoken(makeWords(lang), lang, said);
  const looks: Said = { code: "looksOpen", values: { what: { code: "looks.NAME", values: {} } } };
  expect(say("en", looks)).toMatch(/^This column looks like a person's name\. Set it aside/);
  expect(say("fr", looks)).toMatch(/^Cette colonne semble contenir le nom d’une personne\./);
  const only: Said = { code: "recipe.only", values: { column: "land", words: { words: ["", "North"], joint: "or", more: 3 } } };
  expect(say("en", only)).toBe('Only rows stay whose land is empty, "North" or 3 others.');
  expect(say("ar", only)).toContain("\u2068land\u2069");
  const recode: Said = {
    code: "recipe.recode",
    values: { column: "land", changes: [
      { code: "recipe.becomes", values: { n: 1, words: { words: ["Zanz"], joint: "and", more: 0 }, new: { words: ["TZ"], joint: "and", more: 0 } } },
      { code: "recipe.missing", values: { n: 2, words: { words: ["?", "{n}"], joint: "and", more: 0 } } },
    ] },
  };
  expect(say("en", recode)).toBe('In land, "Zanz" becomes "TZ"; "?" and "{n}" become missing.');
  expect(say("fr", { code: "unheard", values: {} })).toBeNull();
  expect(say("fr", { code: "aside", values: { reason: { code: "unheard", values: {} } } })).toBeNull();
});
