import { expect, test } from "vitest";
import { changeColumn, changeLinks, changePromise, changeWhere, columnOf, edgesOf, EPSILONS, epsilonsWith, fileName, joinTables, renamed, separateTables, valuesOf } from "../src/draft/change";
import { History } from "../src/draft/history";
import { column, draft } from "./fake";

test("a change leaves the older draft as it was", () => {
  const before = draft();
  const copy = structuredClone(before);
  const after = changeWhere(changePromise(changeColumn(before, "cases", "age", { keep: false }), { epsilon: 2 }), "cases", [{ column: "gender", is: ["Female"], is_not: null }]);
  expect(before).toEqual(copy);
  expect(columnOf(after, "cases", "age")!.keep).toBe(false);
  expect(columnOf(after, "cases", "gender")).toBe(columnOf(before, "cases", "gender"));
  expect([after.promise.epsilon, after.tables[0]!.where.length]).toEqual([2, 1]);
});

test("names are unique and not empty", () => {
  expect(columnOf(renamed(draft(), "cases", "age", " years ")!, "cases", "years")!.from).toBe("age");
  expect(renamed(draft(), "cases", "age", "gender")).toBeNull();
  expect(renamed(draft(), "cases", "age", "  ")).toBeNull();
  expect(renamed(draft(), "cases", "age", "age")).toEqual(draft());
});

test("only the table of links gets the link", () => {
  const two = draft();
  two.tables.push({ ...draft().tables[0]!, name: "perpetrators" });
  const linked = changeLinks(two, "perpetrators", "case_id", "cases", 3);
  expect(linked.tables.map((one) => one.links)).toEqual([null, { to: "cases", key: "case_id", at_most: 3 }]);
});

test("typed lists and edges", () => {
  expect(valuesOf(" a \n\nb\na\n")).toEqual(["a", "b"]);
  expect(edgesOf("0, 18 30;48")).toEqual([0, 18, 30, 48]);
  expect(edgesOf("2020-01-01, 2021-01-01")).toEqual(["2020-01-01", "2021-01-01"]);
  expect([edgesOf("0"), edgesOf("0, old"), edgesOf(""), edgesOf("0, 1e999")]).toEqual([null, null, null, null]);
  expect(fileName("Été: 2026/Cases!", "x")).toBe("ete-2026-cases");
  expect(fileName("???", "x")).toBe("x");
});

test("the slider has the epsilon of every plan", () => {
  expect(epsilonsWith(1)).toEqual([...EPSILONS]);
  expect(epsilonsWith(1.3)).toEqual([...EPSILONS, 1.3].sort((a, b) => a - b));
});

test("history undoes and redoes, and forgets the future after a new change", () => {
  const history = new History<{ n: number }>();
  for (const n of [1, 2, 3]) expect(history.set({ n })).toBe(true);
  expect(history.set({ n: 3 })).toBe(false);
  history.undo();
  history.undo();
  expect([history.now!.n, history.canUndo, history.canRedo]).toEqual([1, false, true]);
  history.undo();
  expect(history.now!.n).toBe(1);
  history.redo();
  expect(history.now!.n).toBe(2);
  history.set({ n: 9 });
  expect(history.canRedo).toBe(false);
  history.reset(null);
  expect([history.now, history.canUndo]).toEqual([null, false]);
});

test("two tables become one, and two again", () => {
  const one = draft();
  const other = { ...one.tables[0]!, name: "talks", source: "talks.csv", key: null, links: { to: "cases", key: "of", at_most: 6 }, columns: [column("gender"), column("tongue")] };
  const two = { ...one, promise: { ...one.promise, unit: "victim or perpetrator" }, tables: [{ ...one.tables[0]!, key: "id" }, other], rest: { flattened: [{ name: "x" }] } };
  const joined = joinTables(two);
  expect(joined.tables).toHaveLength(1);
  expect(joined.tables[0]!.join).toEqual({ source: "talks.csv", key: "of" });
  expect(joined.tables[0]!.columns.slice(-2).map(({ name, from }) => [name, from])).toEqual([["gender (talks.csv)", "gender (talks.csv)"], ["tongue", "tongue"]]);
  expect([joined.promise.unit, joined.rest]).toEqual(["victim", { flattened: [] }]);
  expect(joinTables(one)).toBe(one);
  expect(separateTables(joined, two)).toEqual({ ...two, promise: joined.promise });
});
