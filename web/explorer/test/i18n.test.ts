import { expect, test } from "vitest";
import { formatNumber, formatShare, type Key, type Lang, languages, makeWords, type Message, pick, translations } from "../src/i18n/index";

const keys = Object.keys(translations.en) as Key[];
const texts = (message: Message): string[] => (typeof message === "string" ? [message] : Object.values(message));
const places = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!))].sort();

test.each(languages)("$name has every text, and none that English has not", ({ code }) => {
  expect(Object.keys(translations[code]).sort()).toEqual([...keys].sort());
  for (const key of keys) for (const text of texts(translations[code][key])) expect(text.trim(), key).not.toBe("");
});

test.each(languages)("$name puts in what English puts in", ({ code }) => {
  for (const key of keys) {
    const wanted = places(texts(translations.en[key]).join(" "));
    const message = translations[code][key];
    expect(places(texts(message).join(" ")), key).toEqual(wanted);
    // A form that stands for one exact number may leave the number out, nothing else.
    for (const text of texts(message)) {
      expect(wanted.filter((name) => name !== "n" && !places(text).includes(name)), key).toEqual([]);
    }
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
  const same = new Set(["nav.pages", "head.version", "explore.table", "estimate.source", "privacy.epsilon", "privacy.delta"]);
  for (const code of ["fr", "es", "ar"] as const) {
    const repeated = keys.filter((key) => {
      const text = translations.en[key];
      return typeof text === "string" && text === translations[code][key] && /\p{L}{3}/u.test(text.replace(/\{\w+\}/g, ""));
    });
    expect(repeated.filter((key) => !same.has(key)), code).toEqual([]);
  }
});

test("every text is somewhere on the page", () => {
  const sources = import.meta.glob("../src/**/*.ts", { query: "?raw", import: "default", eager: true }) as Record<string, string>;
  const code = Object.entries(sources).flatMap(([path, text]) => (path.includes("/i18n/") ? [] : [text])).join("\n");
  // Names that are put together: words(`page.${page}`), words(`${page}.title`).
  const made = /^(page|theme|export|source)\.|^(quality|privacy|stories)\.title$/;
  expect(code).toContain("words(`page.${page}`)");
  expect(keys.filter((key) => !made.test(key) && !code.includes(`"${key}"`))).toEqual([]);
});

test("numbers are written as each language writes them", () => {
  const written = (lang: Lang): string => formatNumber(lang, 3400).replace(/\s/g, " ");
  expect([written("en"), written("fr"), written("es"), written("ar")]).toEqual(["3,400", "3 400", "3.400", "3,400"]);
  expect(formatShare("en", 0.95)).toBe("95%");
});

test("words put in texts as they are and numbers as the language has them", () => {
  expect(makeWords("en")("estimate.full", { count: 1234, lower: 1000, upper: 1500 })).toBe("1,234 (1,000 to 1,500)");
  expect(makeWords("en")("head.version", { version: "2026-11" })).toBe("Version 2026-11");
  expect(makeWords("en")("head.version")).toBe("Version {version}");
  expect(makeWords("en")("head.version", { version: "$& {version}" })).toBe("Version $& {version}");
  const chosen = (n: number): string => makeWords("ar")("flows.more", { n });
  expect(new Set([0, 1, 2, 3, 11].map(chosen)).size).toBe(5);
});

test("the first language that the page speaks is picked", () => {
  expect(pick(["de-CH", "fr-CH", "en"])).toBe("fr");
  expect(pick(["ar_EG"])).toBe("ar");
  expect(pick(["de"])).toBe("en");
  expect(pick([])).toBe("en");
});
