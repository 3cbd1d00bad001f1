// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { makeEstimate } from "../src/estimate";
import { makeContext } from "../src/layout/context";
import { bars } from "../src/linked/bars";
import type { Cell, Item } from "../src/linked/data";
import { drawn, flows, MOST_FLOWS } from "../src/linked/flows";
import { flowMap } from "../src/linked/map";
import { matrix } from "../src/linked/matrix";
import { overTime } from "../src/linked/time";

const context = makeContext("en", "Footer.");
const items = (...values: string[]): Item[] => values.map((value) => ({ value, label: value }));
const cell = (row: string, column: string, count: number, half = 5): Cell => ({
  row,
  column,
  estimate: makeEstimate(count, count - half, count + half, "published"),
});
const marks = (figure: Element): SVGElement[] => [...figure.querySelectorAll<SVGElement>(".linked-mark")];
const names = (figure: Element): string[] => marks(figure).map((mark) => mark.getAttribute("aria-label")!);
const middle = (shape: Element, at: "x" | "y", size: "width" | "height"): number =>
  Number(shape.getAttribute(at)) + Number(shape.getAttribute(size)) / 2;

const data = {
  title: "A by B",
  rowName: "A",
  columnName: "B",
  rows: items("a", "b", "c"),
  columns: items("x", "y", "z"),
  // Holes in the middle, and not in the order of the lines.
  cells: [cell("c", "z", 9, 3), cell("a", "x", 100), cell("c", "x", 2, 30), cell("a", "z", 25), cell("b", "z", 49)],
};

test.each(["en", "ar"] as const)("squares stand in their own line and column where others are missing (%s)", (lang) => {
  const own = makeContext(lang, "Footer.");
  const figure = matrix(data, { width: 600 }, own);
  expect(marks(figure).length).toBe(5);
  const place = (row: string, column: string): [number, number] => {
    const mark = marks(figure).find((one) => one.getAttribute("aria-label")!.startsWith(own.words("linked.pair", { row, column })))!;
    const hit = mark.querySelector(".linked-hit")!;
    return [middle(hit, "x", "width"), middle(hit, "y", "height")];
  };
  const written = (text: string): SVGElement => [...figure.querySelectorAll("text")].find((one) => one.textContent === text)! as unknown as SVGElement;
  for (const { row, column } of data.cells) {
    const [x, y] = place(row, column);
    expect(Math.abs(Number(written(column).getAttribute("x")) - x)).toBeLessThan(0.01);
    expect(Math.abs(Number(written(row).getAttribute("y")) - 4.5 - y)).toBeLessThan(0.01);
  }
  expect(place("a", "x")[0] < place("a", "z")[0]).toBe(lang === "en");
});

test("a square's area is as large as its count, and one that is too few is hatched", () => {
  const figure = matrix(data, { width: 600 }, context);
  const square = (name: string): Element => marks(figure).find((one) => one.getAttribute("aria-label")!.startsWith(name))!.querySelectorAll("rect")[1]!;
  const side = (name: string): number => Number(square(name).getAttribute("width"));
  expect((side("a and x") / side("a and z")) ** 2).toBeCloseTo(4, 3);
  expect(square("c and x").getAttribute("fill")).toMatch(/^url\(#hatch/);
  expect(square("a and x").getAttribute("fill")).toBe("var(--accent)");
  expect(names(figure)).toContain("c and x: too few to tell (0 to 32), published count");
});

test("the table has the numbers of the drawing, line by line", () => {
  const figure = matrix(data, { width: 600 }, context);
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => [...row.children].map((one) => one.textContent));
  expect(rows).toEqual([
    ["a", "x", "100", "95", "105", "published count"],
    ["a", "z", "25", "20", "30", "published count"],
    ["b", "z", "49", "44", "54", "published count"],
    ["c", "x", "too few to tell", "0", "32", "published count"],
    ["c", "z", "9", "6", "12", "published count"],
  ]);
});

test("arrow keys reach every mark, one is in the order of Tab, Enter picks", () => {
  const picked: string[][] = [];
  const figure = matrix(data, { width: 600, onPick: (...pair) => picked.push(pair) }, context);
  document.body.append(figure);
  const stops = (): string[] => marks(figure).filter((one) => one.getAttribute("tabindex") === "0").map((one) => one.getAttribute("aria-label")!.split(":")[0]!);
  const press = (key: string): string => {
    const here = marks(figure).find((one) => one.getAttribute("tabindex") === "0")!;
    here.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    expect(stops().length).toBe(1);
    return stops()[0]!;
  };
  expect(stops()).toEqual(["a and x"]);
  expect(press("ArrowRight")).toBe("a and z");
  expect(press("ArrowDown")).toBe("b and z");
  expect(press("ArrowDown")).toBe("c and z");
  expect(press("ArrowDown")).toBe("c and z");
  expect(press("Home")).toBe("c and x");
  press("Enter");
  expect(picked).toEqual([["c", "x"]]);
});

test("bars keep to their labels, and say too few instead of a number", () => {
  const list = [1, 2, 3].map((n) => ({ value: `${n}`, label: `${n}`, estimate: makeEstimate(n === 2 ? 1 : 100 * n, n === 2 ? 0 : 90 * n, 110 * n, "records" as const) }));
  const figure = bars({ title: "T", help: "", name: "N", bars: list }, { width: 500 }, context);
  const texts = marks(figure).map((mark) => [...mark.querySelectorAll("text")].map((text) => text.textContent));
  expect(texts.map((two) => two[0])).toEqual(["1", "2", "3"]);
  expect(texts[1]![1]).toBe("too few to tell");
  expect(texts[2]![1]).toMatch(/300$/);
});

const places = {
  title: "From A to B",
  originName: "A",
  destinationName: "B",
  origins: items("Africa", "Asia", "Atlantis"),
  destinations: items("Africa", "Europe"),
};

test("flows are as wide as their counts; one too few to tell is a dashed line", () => {
  const cells = [cell("Africa", "Europe", 300), cell("Asia", "Africa", 100), cell("Asia", "Europe", 3, 20)];
  const figure = flows({ ...places, cells }, { width: 700 }, context);
  const thick = (name: string): number => {
    const band = marks(figure).find((one) => one.getAttribute("aria-label")!.startsWith(name))!.querySelector(".linked-band")!;
    const [, a, d] = /^M[\d.]+,([\d.]+).*,([\d.]+)Z$/.exec(band.getAttribute("d")!)!;
    return Number(d) - Number(a);
  };
  expect(thick("Africa to Europe") / thick("Asia to Africa")).toBeCloseTo(3, 3);
  const few = marks(figure).find((one) => one.classList.contains("few"))!;
  expect(few.querySelector(".linked-band")).toBeNull();
  expect(few.querySelector("[stroke-dasharray]")).not.toBeNull();
});

test("flows that are not drawn are told, and stay in the table", () => {
  const many = items(...Array.from({ length: 50 }, (_, i) => `o${i}`));
  const cells = many.map(({ value }, i) => cell(value, "Europe", 100 + i));
  expect(drawn(cells, 3).map((one) => one.row)).toEqual(["o49", "o48", "o47"]);
  const figure = flows({ ...places, origins: many, cells }, { width: 700 }, context);
  expect(marks(figure).length).toBe(MOST_FLOWS);
  expect(figure.querySelector(".linked-note")!.textContent).toBe("10 smaller flows are not drawn. The table has them.");
  expect(figure.querySelectorAll("tbody tr").length).toBe(50);
});

test("the map tells what it cannot place, and the table has it", () => {
  const cells = [cell("Africa", "Europe", 300), cell("Africa", "Africa", 50), cell("Atlantis", "Europe", 70)];
  const figure = flowMap({ ...places, cells, arrived: [] }, { width: 700 }, context);
  expect(names(figure).map((name) => name.split(":")[0])).toEqual(["Africa to Europe", "Africa, origin and destination"]);
  const notes = [...figure.querySelectorAll(".linked-note")].map((note) => note.textContent);
  expect(notes[0]).toMatch(/: Atlantis\.$/);
  expect([...figure.querySelectorAll("tbody tr")].length).toBe(3);
});

test("a figure without numbers says so", () => {
  const figure = matrix({ ...data, cells: [] }, { width: 600 }, context);
  expect(figure.textContent).toContain("no counts for this figure");
  expect(figure.querySelector("svg")).toBeNull();
});

test.each(["en", "ar"] as const)("strips over time keep to their times where one is missing, on one scale (%s)", (lang) => {
  const own = makeContext(lang, "Footer.");
  const times = items("2015", "2016", "2017");
  const cells = [cell("2017", "a", 200), cell("2015", "a", 100), cell("2015", "b", 50), cell("2016", "b", 2, 20)];
  const figure = overTime({ title: "T", help: "", timeName: "Year", name: "N", times, values: items("a", "b"), cells }, { width: 500 }, own);
  expect(marks(figure).length).toBe(4);
  const spot = (name: string, value: string): Element => marks(figure).find((one) => one.getAttribute("aria-label")!.startsWith(own.words("linked.pair", { row: name, column: value })))!;
  const label = (text: string): number => Number([...figure.querySelectorAll("svg text")].find((one) => one.textContent === text)!.getAttribute("x"));
  for (const [time, value] of [["2015", "a"], ["2017", "a"], ["2015", "b"]] as const) {
    expect(Number(spot(time, value).querySelector("circle")!.getAttribute("cx"))).toBeCloseTo(label(time), 2);
  }
  const few = spot("2016", "b");
  expect(few.querySelector("circle")).toBeNull();
  expect(few.querySelector("rect[stroke-dasharray]")!.getAttribute("fill")).toMatch(/^url\(#hatch/);
  // No line leads over the time that is missing.
  expect([...figure.querySelectorAll('svg path[fill="none"]')].every((path) => !path.getAttribute("d")!.includes("L"))).toBe(true);
  const high = (name: string, value: string): number => Number(spot(name, value).querySelector(".linked-hit")!.getAttribute("y")) + 49 - Number(spot(name, value).querySelector("circle")!.getAttribute("cy"));
  expect(high("2017", "a") / high("2015", "b")).toBeCloseTo(4, 2);
});

test("every figure has the key of the marks that it has, on the page", () => {
  const key = (figure: Element): string[] => [...figure.querySelectorAll(".key > span")].map((one) => one.textContent!);
  expect(key(matrix(data, { width: 600 }, context))).toEqual(["published count", "too few to tell"]);
  const own = [{ value: "a", label: "a", estimate: makeEstimate(90, 80, 100, "records" as const) }];
  expect(key(bars({ title: "T", help: "", name: "N", bars: own }, { width: 500 }, context))).toEqual(["≈ estimated from records", "95% interval"]);
  const cells = [cell("Africa", "Europe", 300), cell("Africa", "Africa", 50), cell("Asia", "Europe", 3, 20)];
  const flow = ["Origin and destination are the same", "Origin and destination differ", "too few to tell"];
  expect(key(flows({ ...places, cells }, { width: 700 }, context))).toEqual(flow);
  expect(key(flowMap({ ...places, cells, arrived: [] }, { width: 700 }, context))).toEqual(flow);
});
