/** An engine of invented answers, for tests of the page alone. Typed by the contract, and never part of the site. */

import type { ColumnDraft, Draft, Name, Requests, Run } from "../src/contract";

export function column(name: string, change: Partial<ColumnDraft> = {}): ColumnDraft {
  return {
    name, from: name, keep: true, reason: "", kind: "category", values: ["a", "b"], bins: null, delimiter: "", at_most: null,
    missing: [""], outside: "refuse", recode: {}, derive: null, meaning: "", ...change,
  };
}

export function draft(): Draft {
  return {
    release: { name: "cases", version: "2026-1", title: "Cases", publisher: "", license: "CC-BY-4.0" },
    promise: { unit: "person", population: "cases", epsilon: 1, delta: "auto", budget: { epsilon: 4, delta: 2e-5 } },
    aggregates: { length: 3, fabrication: "balanced" },
    tables: [
      {
        name: "cases", source: "cases.csv", key: null, links: null, where: [],
        columns: [
          column("gender", { values: ["Female", "Male", "Other"] }),
          column("age", { kind: "binned", values: null, bins: [0, 9, 18, 30, 48, 100] }),
          column("country", { values: null }),
          column("means", { kind: "multi", delimiter: ";", at_most: 4, values: ["Debt bondage", "Threats", "Withheld papers"] }),
          column("phone", { keep: false, reason: "looks like phone numbers" }),
        ],
      },
    ],
  };
}

const preview = {
  columns: ["gender", "age", "country", "means", "phone"],
  rows: [["Female", "23", "Ruritania", "Threats;Debt bondage", "555-0101"], ["Male", "", "Elbonia", "", "555-0102"], ["Female", "31", "Ruritania", "Threats", "555-0103"]],
};

function run(of: Run["of"], now: Draft, label: string, id: string): Run {
  return {
    id, label, of, epsilon: now.promise.epsilon, delta: 1e-6, length: now.aggregates.length, seconds: 12.4, people: 4012, published: 1830,
    sentence: of === "twin" ? "Made from an invented twin of 10,000 people; nothing was charged." : "Made from the rows; epsilon 1 was charged.",
    quality: [1, 2, 3].map((length) => ({ table: "cases", length, error: 8 * length, expected: 7 * length })),
  };
}

export interface Fake {
  asked: Name[];
  spent: number;
  explorer: string;
  answer<N extends Name>(name: N, fields: Requests[N][0]): Requests[N][1];
}

export function fake(): Fake {
  const runs: Run[] = [];
  const make = (of: Run["of"], { draft: now, label }: { draft: Draft; label: string }): Run => {
    if (of === "rows") made.spent += now.promise.epsilon;
    const one = run(of, now, label, `run-${runs.length + 1}`);
    runs.push(one);
    return one;
  };
  const view = (now: Draft): Requests["ledger_view"][1] => {
    const { budget, epsilon, population } = now.promise;
    const after = made.spent + epsilon;
    return {
      exists: made.spent > 0, population, releases: [], notes: [], spent: { epsilon: made.spent, delta: 1e-6 }, budget, after: { epsilon: after, delta: 2e-6 },
      refused: budget && after > budget.epsilon ? `epsilon (${epsilon}) must be at most ${budget.epsilon - made.spent}, what is left of the budget.` : "",
    };
  };
  const all: { [N in Name]: (fields: Requests[N][0]) => Requests[N][1] } = {
    hello: () => ({ version: "0.1.0", engine: "native", rows_limit: 1_000_000 }),
    open: () => ({ tables: [{ name: "cases", source: "cases.csv", rows: 4000, preview }], draft: draft(), remarks: [{ level: "note", table: "cases", column: "phone", message: "looks like phone numbers and was set aside." }] }),
    example: () => all.open({ files: [] }),
    column: ({ column: name }) => ({
      values: name === "gender" ? [{ value: "Female", people: 2400 }, { value: "Male", people: 1500 }, { value: "Other", people: 40 }] : [{ value: "Ruritania", people: 900 }, { value: "Elbonia", people: 22 }],
      distinct: 3, missing: 60, smallest: "", largest: "",
      suggestions: name === "country" ? [{ label: "Countries to United Nations regions", change: { values: ["North", "South"], recode: { Ruritania: "North", Elbonia: "South" } }, remark: null }] : [],
    }),
    prepare: () => ({
      before: preview, after: { columns: ["gender", "age", "country", "means"], rows: [["Female", "18 to 29", "North", "Threats; Debt bondage"]] }, rows: 4000, kept: 3990,
      recipe: [{ table: "cases", column: "age", sentence: "age: put into 5 groups." }],
      remarks: [{ level: "price", table: "cases", column: "country", message: "Its values are found privately, which costs a part of epsilon." }],
    }),
    risk: ({ k, length }) => ({
      people: 4000, k, length, singled: 40 * k * length, by_length: [1, 2, 3].slice(0, length).map((n) => ({ length: n, singled: 40 * k * n })),
      columns: ["gender", "age", "country", "means"].map((name, i) => ({ table: "cases", column: name, singled_without: 300 + 150 * i })),
      rare: [{ columns: [{ table: "cases", column: "gender" }, { table: "cases", column: "country" }], values: ["Other", "Elbonia"], people: 1 }],
      advice: [{ table: "cases", column: "country", without: 300, how: "values" }],
    }),
    forecast: ({ epsilons }) => ({
      people: 4000, delta: 1e-6, sentences: ["For country ten values are assumed, since none are declared."],
      rows: epsilons.flatMap((epsilon) => [1, 2, 3].map((length) => ({ epsilon, length, within: (20 * length) / epsilon, typical: (7 * length) / epsilon }))),
    }),
    check: () => ({ remarks: [] }),
    to_toml: () => ({ toml: "[release]\nname = \"cases\"\n" }),
    from_toml: () => ({ draft: draft(), remarks: [] }),
    ledger_open: ({ draft: now }) => view(now),
    ledger_view: ({ draft: now }) => view(now),
    ledger_file: () => ({ name: "ledger.caseveil", bytes: new TextEncoder().encode(`spent ${made.spent}`) }),
    rehearse: (fields) => make("twin", fields),
    release: (fields) => make("rows", fields),
    runs: () => ({ runs }),
    compare: ({ runs: wanted }) => ({ rows: wanted.map((id) => ({ run: id, table: "cases", length: 2, counts_error: 12.3, records_error: 18.4, made_up: 0.01, lost: 0.04 })) }),
    explorer: () => ({ html: made.explorer }),
    bundle: () => ({ name: "cases-2026-1.zip", bytes: new Uint8Array([80, 75]) }),
    report: () => ({ name: "report.zip", bytes: new Uint8Array([80, 75]) }),
    close: () => ({}),
  };
  const made: Fake = {
    asked: [], spent: 0, explorer: "<!doctype html><title>Explorer</title>",
    answer(name, fields) {
      made.asked.push(name);
      return all[name](fields);
    },
  };
  return made;
}
