import { describe, expect, it, vi } from "vitest";
import { Table } from "../src/data/table";
import { makeEstimate } from "../src/estimate";
import { makeContext } from "../src/layout/context";
import { Board } from "../src/panels/board";
import { drawingOf } from "../src/panels/kinds";
import { paths, runs } from "../src/panels/line";
import { picture } from "../src/panels/picture";
import { upright } from "../src/panels/upright";
import { column, table } from "./make";

const YEARS = ["2018", "2019", "2020", "2021", "2022", "2023"];
const COLUMNS = [
  column("year", YEARS, { kind: "ordered", time: true }),
  column("gender", ["Female", "Male", "Other", "Unlisted"]),
  column("place", Array.from({ length: 30 }, (_, i) => `place ${i}`)),
];
// 2020 and "Male" have no published count, in the middle of their columns; some rows are blank.
const PUBLISHED: Record<string, [number, number, number]> = {
  "year=2018": [100, 90, 110],
  "year=2019": [200, 190, 210],
  "year=2021": [400, 390, 410],
  "year=2022": [500, 490, 510],
  "year=2023": [600, 590, 610],
  "gender=Female": [700, 690, 710],
  "gender=Other": [300, 290, 310],
  "gender=Unlisted": [200, 190, 210],
};
const ROWS = Array.from({ length: 120 }, (_, i) => [
  ["", ...YEARS][i % 7]!,
  ["Female", "Female", "Male", ""][i % 4]!,
  `place ${(i * i) % 30}`,
]);

async function board(lang: "en" | "ar" = "en") {
  const made = await Table.read(table(COLUMNS, ROWS, PUBLISHED), 2);
  const actions = { toggle: vi.fn(), clear: vi.fn(), pin: vi.fn() };
  const all = new Board(made, actions, makeContext(lang, "footer"));
  document.body.replaceChildren(all.element);
  all.update(new Map(), made.count(new Map()), []);
  return { all, made, actions };
}

const panel = (name: string) => document.querySelector<HTMLElement>(`[data-column="${name}"]`)!;
const marks = (name: string) => [...panel(name).querySelectorAll<HTMLElement>(".mark")];

describe("marks and labels", () => {
  it("stay together when a value in the middle has no published count, and for blanks", async () => {
    await board();
    for (const [name, of] of [["year", COLUMNS[0]!], ["gender", COLUMNS[1]!]] as const) {
      expect(marks(name)).toHaveLength(of.values.length + 1);
      for (const mark of marks(name)) {
        const label = mark.querySelector(".mark-label")!.textContent!;
        const number = mark.querySelector(".mark-number")!.textContent!;
        const published = PUBLISHED[`${name}=${label}`];
        if (published) {
          expect(number).toBe(String(published[0]));
          expect(mark.dataset["source"]).toBe("published");
        } else {
          expect(mark.dataset["source"]).toBe("records");
          const c = COLUMNS.findIndex((one) => one.name === name);
          const n = ROWS.filter((row) => row[c] === (label === "Not stated" ? "" : label)).length;
          expect(number).toBe(n > 20 ? `≈\u2009${n}` : "too few to tell");
        }
        expect(mark.getAttribute("aria-label")).toContain(label);
      }
    }
    expect(marks("year").map((mark) => mark.querySelector(".mark-label")!.textContent)).toEqual([...YEARS, "Not stated"]);
  });

  it("are in the table twin in the same way", async () => {
    await board();
    const details = panel("gender").querySelector("details")!;
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    const rows = [...details.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));
    expect(rows).toContainEqual(["Female", "700", "690", "710", "published count"]);
    expect(rows).toContainEqual(["Other", "300", "290", "310", "published count"]);
    expect(rows.find(([label]) => label === "Male")![4]).toBe("estimated from records");
    expect(rows).toHaveLength(5);
  });

  it("of a long list are the largest and the chosen ones, or those that a search finds", async () => {
    const { all, made } = await board();
    expect(marks("place")).toHaveLength(8);
    const chosen = new Map([[2, new Set([29])]]);
    all.update(chosen, made.count(chosen), []);
    expect(marks("place").map((mark) => mark.querySelector(".mark-label")!.textContent)).toContain("place 29");
    const search = panel("place").querySelector("input")!;
    search.value = "PLACE 2";
    search.dispatchEvent(new Event("input"));
    expect(marks("place")).toHaveLength(11);
    search.value = "zzz";
    search.dispatchEvent(new Event("input"));
    expect(marks("place")).toHaveLength(0);
    expect(panel("place").textContent).toContain("No value matches.");
  });

  it("hand back the value that was clicked, and a blank as ''", async () => {
    const { actions } = await board();
    for (const mark of marks("gender")) mark.click();
    expect(new Set(actions.toggle.mock.calls.map(([, value]) => value as string))).toEqual(new Set(["Female", "Male", "Other", "Unlisted", ""]));
  });

  it("of a group are reached by one Tab and by arrows", async () => {
    await board();
    const list = marks("gender");
    expect(list.filter((mark) => mark.tabIndex === 0)).toHaveLength(1);
    list[0]!.focus();
    list[0]!.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    expect(document.activeElement).toBe(list[1]);
    list[1]!.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
    expect(document.activeElement).toBe(list.at(-1));
    expect(list.filter((mark) => mark.tabIndex === 0)).toEqual([list.at(-1)]);
  });
});

describe("a board", () => {
  it("puts pinned columns first, in the order of pinning", async () => {
    const { all, made } = await board();
    all.update(new Map(), made.count(new Map()), ["place", "gender"]);
    expect([...all.element.children].map((one) => (one as HTMLElement).dataset["column"])).toEqual(["place", "gender", "year"]);
  });

  it("finds columns by their names", async () => {
    const { all } = await board();
    expect(all.search("GEN")).toBe(1);
    expect(panel("year").hidden).toBe(true);
    expect(all.search("")).toBe(3);
  });
});

describe("a line over time", () => {
  const sure = (n: number) => makeEstimate(n, n - 1, n + 1, "published");
  const few = makeEstimate(1, 0, 5, "records");

  it("breaks where a count is too few to tell", () => {
    expect(runs([sure(9), sure(8), few, sure(7), few])).toEqual([[0, 1], [3]]);
    const { line } = paths([sure(10), few, sure(5)], 10);
    expect(line).toBe("M0.5,0.00M2.5,50.00");
  });
});

describe("how a column is drawn", () => {
  it("follows its kind", () => {
    expect(drawingOf(COLUMNS[0]!)).toBe("time");
    expect(drawingOf(COLUMNS[1]!)).toBe("bars");
    expect(drawingOf(column("age", ["0--8", "9--17", "18+"], { kind: "binned" }))).toBe("columns");
    expect(drawingOf(column("school", ["No schooling", "Primary", "Secondary"], { kind: "ordered" }))).toBe("bars");
    expect(drawingOf(column("means", ["a", "b", "c"], { kind: "multi", set: true }))).toBe("bars");
  });
});

describe("a picture", () => {
  it("hatches what is too few to tell and mirrors for right to left", () => {
    const rows = [
      { label: "A", estimate: makeEstimate(50, 40, 60, "published") },
      { label: "B", estimate: makeEstimate(1, 0, 9, "records") },
    ];
    const drawn = picture("t", rows, makeContext("en", ""));
    const rects = [...drawn.querySelectorAll("rect")];
    expect(rects).toHaveLength(2);
    expect(rects[0]!.getAttribute("fill")).toBe("var(--accent)");
    expect(rects[1]!.getAttribute("fill")).toMatch(/^url\(#hatch/);
    expect(drawn.textContent).toContain("too few to tell");
    const mirrored = picture("t", rows, makeContext("ar", ""));
    const box = mirrored.querySelector("rect")!;
    expect(Number(box.getAttribute("x")) + Number(box.getAttribute("width"))).toBeCloseTo(450);
  });
});

describe("a picture of values in order", () => {
  const row = (label: string, count: number, half: number) => ({ label, estimate: makeEstimate(count, count - half, count + half, "published") });
  const rows = [row("2015", 50, 5), row("2016", 3, 9), row("2017", 100, 10)];
  const context = makeContext("en", "");

  it("draws time as a line that breaks, each value above its label", () => {
    const drawn = upright("t", rows, row("Not stated", 7, 1), { line: true, joined: false }, context);
    const middle = (text: string): number => Number([...drawn.querySelectorAll("text")].find((one) => one.textContent === text)!.getAttribute("x"));
    const dots = [...drawn.querySelectorAll("circle")].map((dot) => Number(dot.getAttribute("cx")));
    expect(dots).toEqual([middle("2015"), middle("2017")]);
    expect(drawn.querySelector("rect")!.getAttribute("fill")).toMatch(/^url\(#hatch/);
    expect(drawn.textContent).toContain("Not stated: 7");
    expect([...drawn.querySelectorAll('path[fill="none"]')].map((path) => path.getAttribute("d")).some((d) => d!.includes("L"))).toBe(false);
  });

  it("draws classes as bars as high as their counts", () => {
    const drawn = upright("t", rows, null, { line: false, joined: true }, context);
    const heights = [...drawn.querySelectorAll("rect")].map((bar) => Number(bar.getAttribute("height")));
    expect(heights[2]! / heights[0]!).toBeCloseTo(2, 2);
    expect(heights[1]! / heights[0]!).toBeCloseTo(12 / 50, 2);
  });
});
