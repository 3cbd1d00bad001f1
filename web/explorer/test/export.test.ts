// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { makeEstimate } from "../src/estimate";
import { toCsv } from "../src/export/csv";
import { type Figure, figureButtons } from "../src/export/index";
import { fileName } from "../src/export/name";
import { standalone, wrap } from "../src/export/standalone";
import { makeWords } from "../src/i18n/index";
import { s } from "../src/layout/dom";

const drawing = (): SVGSVGElement =>
  s(
    "svg",
    { width: 200, height: 100, viewBox: "0 0 200 100", class: "x" },
    s("g", { tabindex: 0, role: "button", class: "linked-mark", "aria-label": "a" }, s("rect", { x: 1, y: 2, width: 3, height: 4, fill: "red" })),
  );
const figure: Figure = {
  title: "Age, by gender",
  heads: ["Age", "Gender"],
  svg: drawing,
  rows: () => [
    { labels: ["9–17", 'A "so-called", thing'], estimate: makeEstimate(1234, 1000, 1500, "published") },
    { labels: ["=1+1", "-5"], estimate: makeEstimate(3, 0, 40, "records") },
  ],
};

test("a table has plain numbers, quotes where they are needed, and no formulas", () => {
  const lines = toCsv({ ...figure, subject: "Only women are counted." }, "One, sentence.\nCite this.").split("\r\n");
  expect(lines).toEqual([
    "\ufeffAge,Gender,count,lower,upper,source,too_few_to_tell",
    '9–17,"A ""so-called"", thing",1234,1000,1500,published,no',
    "'=1+1,-5,,0,40,records,yes",
    "",
    '"Age, by gender"',
    "Only women are counted.",
    '"One, sentence."',
    "Cite this.",
    "",
  ]);
});

test("a number below its own noise is in no cell, also where its interval starts above zero", () => {
  const few = { count: 987, lower: 5, upper: 3000, source: "published" as const, few: true };
  const [, line] = toCsv({ ...figure, rows: () => [{ labels: ["a", "b"], estimate: few }] }, "").split("\r\n");
  expect(line).toBe("a,b,,0,3000,published,yes");
});

test.each([
  ["Age, by gender: 2/3 \\ ..", "Age-by-gender-2-3.csv"],
  ["نوع الصلة", "نوع-الصلة.csv"],
  ["../../etc/passwd", "etc-passwd.csv"],
  ["CON", "figure-CON.csv"],
  ["???", "figure.csv"],
  [`${"word ".repeat(40)}`, `${"word-".repeat(16).slice(0, -1)}.csv`],
  ["x".repeat(300), `${"x".repeat(80)}.csv`],
])("the title %s makes the file %s", (title, name) => {
  expect(fileName(title, "csv")).toBe(name);
});

test("text is broken between words, and no word is lost", () => {
  const text = "one two three four five\nsix";
  expect(wrap(text, 9, (t) => t.length)).toEqual(["one two", "three", "four five", "six"]);
  expect(wrap("longlonglong a", 4, (t) => t.length)).toEqual(["longlonglong", "a"]);
});

test("a picture holds its title and the whole footer, and nothing of the page", () => {
  const footer = "Every victim in the data is protected by differential privacy, whatever else is known.";
  const picture = standalone(drawing(), figure.title, footer, true, [], "Only women are counted.");
  const texts = [...picture.querySelectorAll("text")].map((text) => text.textContent);
  expect(texts.join(" ")).toBe(`${figure.title} Only women are counted. ${footer}`);
  const inside = picture.querySelector("svg")!;
  expect(Number(picture.getAttribute("height"))).toBeGreaterThan(100 + Number(inside.getAttribute("y")));
  for (const element of [inside, ...inside.querySelectorAll("*")]) {
    for (const name of ["class", "style", "tabindex", "aria-label", "role"]) expect(element.hasAttribute(name)).toBe(false);
  }
  expect(inside.querySelector("rect")!.getAttribute("width")).toBe("3");
  expect(document.querySelector(".export-host")).toBeNull();
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
});

test("a button saves a file under a safe name and says so", async () => {
  const made: Blob[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => (made.push(blob as Blob), "blob:x"));
  const names: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    names.push(this.download);
  });
  const group = figureButtons(figure, "Footer.", makeWords("en"));
  document.body.append(group);
  const buttons = [...group.querySelectorAll("button")];
  buttons.find((one) => one.textContent === "CSV")!.click();
  await vi.waitFor(() => expect(group.querySelector("[role=status]")!.textContent).toBe("Saved as Age-by-gender.csv"));
  expect(names).toEqual(["Age-by-gender.csv"]);
  expect(await made[0]!.text()).toBe(toCsv(figure, "Footer."));
});
