// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { makeContext } from "../src/layout/context";
import type { Table } from "../src/data/table";
import { selectionText, subjectText } from "../src/state/words";

const table = {
  name: "victims",
  data: { columns: [{ name: "gender", values: ["Female", "Male"] }, { name: "age_group", values: ["9--17"] }] },
} as unknown as Table;
const context = makeContext("en", "Footer.");
const selection = new Map([
  [0, new Set([0, -1])],
  [1, new Set([0])],
]);

test("a selection is told in words, without the column that does not narrow its own figure", () => {
  expect(selectionText(selection, table, context)).toBe("Gender: Female or Not stated and Age group: 9–17");
  expect(subjectText(selection, table, context, 0)).toBe("Only victims with Age group: 9–17 are counted.");
  expect(subjectText(new Map([[0, new Set([1])]]), table, context, 0)).toBe("All victims are counted.");
});
