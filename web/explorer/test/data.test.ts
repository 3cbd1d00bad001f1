import { describe, expect, it } from "vitest";
import { readRecords, split } from "../src/data/decode";
import { CrossFilter, type Selection } from "../src/data/filter";
import { fromRecords, halfWidth } from "../src/data/spread";
import { Table } from "../src/data/table";
import { makeEstimate } from "../src/estimate";
import { column, encode, table } from "./make";

/** The same numbers in every run. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const WIDE = Array.from({ length: 300 }, (_, i) => `place ${i}`);
const COLUMNS = [
  column("gender", ["Female", "Male", "Other"]),
  column("means", ["Debt", "Threats", "Violence", "Other"], { set: true, kind: "multi" }),
  column("place", WIDE),
  column("yes", ["Yes"]),
];

function invented(rows: number, seed: number): (string | string[])[][] {
  const next = random(seed);
  return Array.from({ length: rows }, () =>
    COLUMNS.map((of) => {
      if (of.set) return of.values.filter(() => next() < 0.3);
      const at = Math.floor(next() * (of.values.length + 1));
      return at === 0 ? "" : of.values[at - 1]!;
    }),
  );
}

describe("records", () => {
  it("come back as they were written, at lengths around the ends of bytes and words", async () => {
    for (const n of [1, 7, 8, 9, 31, 32, 33, 100]) {
      const rows = invented(n, n);
      const { columns } = await readRecords(table(COLUMNS, rows));
      rows.forEach((row, r) => {
        columns.forEach((stored, c) => {
          const declared = COLUMNS[c]!.values;
          const found = stored.set
            ? declared.filter((_, v) => (stored.planes[v]![r >>> 5]! >>> (r & 31)) & 1)
            : (declared[stored.codes[r]! - 1] ?? "");
          expect(found).toEqual(row[c]);
        });
      });
    }
  });

  it("are refused when bytes are missing or left over", () => {
    const bytes = encode(COLUMNS, invented(20, 1));
    expect(() => split(bytes.subarray(1), 20, COLUMNS)).toThrow(RangeError);
    expect(() => split(Uint8Array.from([...bytes, 0]), 20, COLUMNS)).toThrow(RangeError);
  });
});

describe("counts under a selection", () => {
  it("are those of a plain count over rows, for 200 selections", async () => {
    const rows = invented(101, 5);
    const filter = new CrossFilter(await readRecords(table(COLUMNS, rows)), COLUMNS.map((of) => of.values.length));
    const next = random(9);
    for (let step = 0; step < 200; step++) {
      const selection = new Map<number, Set<number>>();
      COLUMNS.forEach((of, c) => {
        if (next() < 0.5) return;
        const some = of.values.map((_, v) => v).filter(() => next() < 0.5);
        selection.set(c, new Set(next() < 0.3 ? [...some, -1] : some));
      });
      expect(filter.count(selection)).toEqual(plainly(rows, selection));
    }
  });

  function plainly(rows: (string | string[])[][], selection: Selection): ReturnType<CrossFilter["count"]> {
    const has = (row: (string | string[])[], c: number, v: number): boolean => {
      const value = row[c]!;
      if (v < 0) return value.length === 0;
      return typeof value === "string" ? value === COLUMNS[c]!.values[v] : value.includes(COLUMNS[c]!.values[v]!);
    };
    const passing = (except: number) =>
      rows.filter((row) => [...selection].every(([c, choice]) => c === except || choice.size === 0 || [...choice].some((v) => has(row, c, v))));
    const left = COLUMNS.map((_, c) => passing(c));
    return {
      total: passing(-1).length,
      values: COLUMNS.map((of, c) => Uint32Array.from(of.values, (_, v) => left[c]!.filter((row) => has(row, c, v)).length)),
      blank: Uint32Array.from(COLUMNS, (_, c) => left[c]!.filter((row) => has(row, c, -1)).length),
    };
  }
});

describe("the number of a mark", () => {
  const published = {
    "gender=Female": [70, 60, 80],
    "gender=Male": [50, 40, 65],
    "means=Debt": [30, 25, 40],
    "means=Threats": [20, 15, 30],
    "gender=Female&yes=Yes": [33, 20, 41],
    "gender=Male&yes=Yes": [22, 16, 31],
    "gender=Female&means=Debt": [14, 9, 22],
    "yes=Yes": [60, 50, 70],
  } as Record<string, [number, number, number]>;
  const rows = invented(200, 3);
  const made = Table.read(table(COLUMNS, rows, published), 2);
  const FEMALE = 0, MALE = 1, OTHER = 2;

  async function mark(selection: Selection, c: number, v: number) {
    const it = await made;
    return it.mark(selection, it.count(selection), c, v);
  }

  it("is a published count where there is one", async () => {
    expect(await mark(new Map(), 0, FEMALE)).toEqual(makeEstimate(70, 60, 80, "published"));
    expect(await mark(new Map([[0, new Set([FEMALE])]]), 1, 0)).toEqual(makeEstimate(14, 9, 22, "published"));
  });

  it("adds up published counts that exclude each other, with all of their distances", async () => {
    expect(await mark(new Map([[0, new Set([FEMALE, MALE])]]), 3, 0)).toEqual(makeEstimate(55, 36, 72, "published"));
  });

  it("does not see the column's own choice", async () => {
    expect((await mark(new Map([[0, new Set([MALE])]]), 0, FEMALE)).count).toBe(70);
  });

  it("comes from records for a hole, a blank, a longer combination and several values of a set", async () => {
    const it = await made;
    const from = async (selection: Selection, c: number, v: number): Promise<void> => {
      const counts = it.count(selection);
      const n = v < 0 ? counts.blank[c]! : counts.values[c]![v]!;
      expect(it.mark(selection, counts, c, v)).toEqual(fromRecords(n, it.data.spread, 200));
    };
    await from(new Map(), 0, OTHER);
    await from(new Map(), 0, -1);
    await from(new Map([[0, new Set([-1])]]), 3, 0);
    await from(new Map([[0, new Set([FEMALE, OTHER])]]), 3, 0);
    await from(new Map([[0, new Set([FEMALE])], [1, new Set([0])]]), 3, 0);
    await from(new Map([[1, new Set([0, 1])]]), 0, FEMALE);
  });

  it("of a selection's total takes one value of a set, and not two", async () => {
    const it = await made;
    const total = (...values: number[]) => {
      const selection = new Map([[1, new Set(values)]]);
      return it.total(selection, it.count(selection));
    };
    expect(total(0)).toEqual(makeEstimate(30, 25, 40, "published"));
    expect(total(0, 1).source).toBe("records");
  });
});

describe("too few to tell", () => {
  it("is a count whose interval reaches zero, or below its own half-width", () => {
    expect(makeEstimate(5, 0, 11, "published").few).toBe(true);
    expect(makeEstimate(704, 141, 2739, "published").few).toBe(true);
    expect(makeEstimate(20, 1, 39, "published").few).toBe(false);
    expect(makeEstimate(20, -3, 25, "records")).toMatchObject({ lower: 0, few: true });
  });
});

describe("spread", () => {
  it("goes between sizes by their logarithm, and stays at the ends", () => {
    const spread = { size: [1, 100], half: [10, 30] };
    expect(halfWidth(spread, 0)).toBe(10);
    expect(halfWidth(spread, 10)).toBeCloseTo(20);
    expect(halfWidth(spread, 1e6)).toBe(30);
    expect(fromRecords(500, spread, 1000)).toEqual(makeEstimate(500, 470, 530, "records"));
  });

  it("says nothing where nothing was published", () => {
    expect(fromRecords(500, { size: [], half: [] }, 1000)).toMatchObject({ lower: 0, upper: 1000, few: true });
  });
});
