import { describe, expect, it } from "vitest";
import { Across } from "../src/data/across";
import { Links } from "../src/data/links";
import { Table } from "../src/data/table";
import type { LinkData } from "../src/payload";
import { base64, column, table } from "./make";

const people = table([column("gender", ["F", "M"]), column("means", ["debt", "force"], { set: true })], [
  ["F", ["debt"]],
  ["F", ["debt", "force"]],
  ["M", []],
  ["", ["force"]],
]);
const others = { ...table([column("role", ["boss", "aide"])], [["boss"], ["aide"], ["boss"], ["boss"], [""]]), name: "others", of: base64(new Uint8Array(Uint32Array.from([0, 0, 1, 2, 3]).buffer)) };

function linkData(published: [of: string, combination: Record<string, string>, count: number][]): LinkData {
  return {
    of: published.map(([of]) => of),
    combination: published.map(([, combination]) => JSON.stringify(combination)),
    count: published.map(([, , count]) => count),
    lower: published.map(([, , count]) => count - 1),
    upper: published.map(([, , count]) => count + 2),
    table: "others",
    to: "victims",
    key: "id",
    most: 2,
    spread: { links: { size: [1], half: [5] }, "victims with any": { size: [1], half: [7] }, victims: { size: [1], half: [9] } },
  };
}

async function across(published: Parameters<typeof linkData>[0]): Promise<Across> {
  return new Across(new Links(linkData(published)), await Table.read(people, 2), await Table.read(others, 2));
}

const choice = (at: number, ...values: number[]) => new Map([[at, new Set(values)]]);

describe("counts across the link under a selection", () => {
  it("are sums of published counts where values exclude each other", async () => {
    const one = await across([
      ["victims with any", { "victims.gender": "F", "others.role": "boss" }, 20],
      ["victims with any", { "victims.gender": "M", "others.role": "boss" }, 30],
      ["victims with any", { "others.role": "boss" }, 60],
      ["links", { "victims.means": "debt", "others.role": "boss" }, 40],
    ]);
    expect(one.withAny(choice(0, 0, 1), 0)[0]).toEqual({ count: 50, lower: 48, upper: 54, source: "published", few: false });
    expect(one.withAny(new Map(), 0)).toEqual([{ count: 60, lower: 59, upper: 62, source: "published", few: false }, null]);
    // A blank was never counted, and neither were two columns at once.
    expect(one.withAny(choice(0, 0, -1), 0)[0]).toMatchObject({ source: "records", count: 2, upper: 9 });
    expect(one.withAny(new Map([...choice(0, 0), ...choice(1, 0)]), 0)[0]).toMatchObject({ source: "records", count: 2 });
    // The mark of a set column that is selected by the same value alone is published; by others, too, it is not.
    const debt = (values: number[]) => one.pairs(choice(1, ...values), 1, 0).find((cell) => cell.row === "debt" && cell.column === "boss")!.estimate;
    expect(debt([0])).toMatchObject({ source: "published", count: 40 });
    expect(debt([0, 1])).toMatchObject({ source: "records", count: 2 });
    expect(debt([1])).toMatchObject({ source: "records", count: 1, few: true });
  });

  it("count people once, links each, and people without links", async () => {
    const one = await across([
      ["victims", { "number of others": "0" }, 3],
      ["victims", { "number of others": "1" }, 3],
      ["victims", { "number of others": "2" }, 3],
    ]);
    expect(one.withAny(choice(1, 0, 1), 0).map((estimate) => estimate!.count)).toEqual([2, 1]);
    const cells = one.pairs(choice(1, 0), 0, 0).map(({ row, column, estimate }) => [row, column, estimate.count]);
    expect(cells).toEqual([["F", "boss", 2], ["F", "aide", 1], ["M", "boss", 0], ["M", "aide", 0]]);
    expect(one.pairs(choice(0, 0), 0, 0).map(({ row }) => row)).toEqual(["F", "F"]);
    expect(one.byNumber(choice(0, 0)).map(({ value, estimate }) => [value, estimate.count, estimate.upper])).toEqual([["0", 0, 9], ["1", 1, 10], ["2", 1, 10]]);
    expect(one.byNumber(new Map()).map(({ estimate }) => estimate.source)).toEqual(["published", "published", "published"]);
  });
});
