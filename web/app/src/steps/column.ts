/** One column: name, kind, values, groups; what is in the file and what becomes of it. */

import type { ColumnDraft, ColumnView, TableDraft } from "../contract";
import { changeColumn, columnOf, edgesOf, renamed, valuesOf } from "../draft/change";
import { spoken } from "../i18n/said";
import { aside, button, choice, edit, explain, field, h, type Kit, lines, radios, text, told, whole } from "../ui/kit";

const SHOWN = 40;

export function columnPanel(kit: Kit, table: TableDraft): HTMLElement {
  const { app, words } = kit;
  const draft = app.draft!;
  const column = columnOf(draft, table.name, app.column) ?? table.columns[0];
  if (!column) return h("section", { class: "card" });
  const question = { draft: { ...draft, promise: null, aggregates: null, release: null }, table: table.name, column: column.name };
  const view = app.live("column", question, () => app.engine.ask("column", { draft: app.draft!, table: table.name, column: column.name }));
  const set = (change: Partial<ColumnDraft>): void => edit(kit, (now) => changeColumn(now, table.name, column.name, change));
  return h(
    "section",
    { class: "card", id: "column-panel", "aria-labelledby": "column-title" },
    h("h3", { id: "column-title" }, words("prepare.column", { column: column.name })),
    h("p", { class: "quiet", dir: "auto" }, words("prepare.from", { name: column.from })),
    !column.keep && h("p", { class: "notice" }, aside(kit, column)),
    view && view.suggestions.length > 0 && suggestions(kit, view, set),
    h(
      "div",
      { class: "fields" },
      name(kit, table, column),
      field("kind", words("prepare.kind"), choice(column.kind, (["category", "ordered", "binned", "multi"] as const).map((kind) => [kind, words(`kind.${kind}`)] as const), (kind) => set(kindOf(column, kind)))),
      field(
        "derive",
        words("prepare.derive"),
        choice(column.derive ?? "none", (["none", "year", "quarter", "month", "whole"] as const).map((part) => [part, words(`derive.${part}`)] as const), (part) => set(part === "none" ? { derive: null } : { derive: part, group: null })),
      ),
      field("outside", words("prepare.outside"), choice(column.outside, (["refuse", "missing"] as const).map((what) => [what, words(`outside.${what}`)] as const), (outside) => set({ outside }))),
    ),
    column.kind === "binned" ? bins(kit, column, set) : values(kit, column, view, set),
    column.kind === "multi" && several(kit, column, set),
    inFile(kit, column, view, set),
    h(
      "details",
      { id: "more-column" },
      h("summary", {}, `${words("prepare.missing")}; ${words("prepare.meaning")}`),
      h(
        "div",
        { class: "fields" },
        field("missing", words("prepare.missing"), lines(column.missing, (typed) => set({ missing: valuesOf(typed) }))),
        field("meaning", words("prepare.meaning"), text(column.meaning, (meaning) => set({ meaning }))),
      ),
    ),
  );
}

/** What a kind needs and what it has not. */
function kindOf(column: ColumnDraft, kind: ColumnDraft["kind"]): Partial<ColumnDraft> {
  return {
    kind,
    values: kind === "binned" ? null : column.values,
    bins: kind === "binned" ? (column.bins ?? []) : null,
    labels: null,
    ...(kind === "binned" ? { group: null } : {}),
    delimiter: kind === "multi" ? column.delimiter || ";" : column.delimiter,
    at_most: kind === "multi" ? (column.at_most ?? 3) : null,
  };
}

function name(kit: Kit, table: TableDraft, column: ColumnDraft): HTMLElement {
  const { app, words } = kit;
  const problem = h("p", { class: "problem-line", role: "alert", hidden: true }, words("prepare.nameTaken"));
  const input = text(column.name, (typed) => {
    const changed = renamed(app.draft!, table.name, column.name, typed);
    problem.hidden = changed !== null;
    if (!changed) return;
    app.column = typed.trim();
    app.change(changed);
  });
  return field("column-new-name", words("prepare.name"), input, problem);
}

function suggestions(kit: Kit, view: ColumnView, set: (change: Partial<ColumnDraft>) => void): HTMLElement {
  const { words } = kit;
  return h(
    "div",
    { class: "suggestions" },
    h("h4", {}, words("prepare.suggestions")),
    ...view.suggestions.map((one, i) =>
      h(
        "div",
        { class: "suggestion" },
        button(`suggest-${i}`, (one.said && spoken(words, kit.lang, one.said)) || one.label, () => set(one.change)),
        one.remark && h("span", { class: "quiet" }, h("strong", { class: `flag ${one.remark.level}` }, words(`remark.${one.remark.level}`)), " ", told(kit, "span", one.remark.said, one.remark.message)),
      ),
    ),
  );
}

function values(kit: Kit, column: ColumnDraft, view: ColumnView | null, set: (change: Partial<ColumnDraft>) => void): HTMLElement {
  const { words } = kit;
  const found = (view?.values ?? []).map(({ value }) => column.recode[value] ?? value).filter((value) => value !== "" && !column.missing.includes(value));
  const declared = column.values !== null;
  return h(
    "div",
    {},
    radios("declared", words("prepare.values"), declared ? "yes" : "no", [["yes", words("values.declared")], ["no", words("values.discovered")]] as const, (answer) =>
      set({ values: answer === "yes" ? [] : null }),
    ),
    explain(kit, "declared", words("values.why"), words("values.copyWhy")),
    declared &&
      h(
        "div",
        {},
        field("values", words("values.list"), lines(column.values ?? [], (typed) => set({ values: valuesOf(typed) }))),
        view && h("p", { class: "quiet" }, button("values-copy", words("values.copy"), () => set({ values: [...new Set(found)] }), { kind: "plain" }), " ", words("values.copyWhy")),
      ),
  );
}

function bins(kit: Kit, column: ColumnDraft, set: (change: Partial<ColumnDraft>) => void): HTMLElement {
  const { words } = kit;
  const problem = h("p", { class: "problem-line", role: "alert", hidden: true }, words("prepare.binsBad"));
  const input = text(
    (column.bins ?? []).join(", "),
    (typed) => {
      const edges = edgesOf(typed);
      problem.hidden = edges !== null;
      if (edges) set({ bins: edges, labels: null });
    },
    { dir: "ltr" },
  );
  return field("bins", words("prepare.bins"), input, problem, h("p", { class: "quiet" }, words("prepare.binsWhy")));
}

function several(kit: Kit, column: ColumnDraft, set: (change: Partial<ColumnDraft>) => void): HTMLElement {
  const { words } = kit;
  return h(
    "div",
    { class: "fields" },
    field("delimiter", words("prepare.delimiter"), text(column.delimiter, (delimiter) => set({ delimiter }), { dir: "ltr" })),
    field("most", words("prepare.most"), whole(column.at_most, 1, 50, (at_most) => set({ at_most }))),
  );
}

function inFile(kit: Kit, column: ColumnDraft, view: ColumnView | null, set: (change: Partial<ColumnDraft>) => void): HTMLElement {
  const { words, number } = kit;
  const title = h("h4", {}, words("prepare.people"), " ", h("span", { class: "flag private" }, words("open.private")));
  if (!view) return h("div", { class: "in-file" }, title, h("p", { class: "quiet" }, words("engine.working")));
  const most = Math.max(1, ...view.values.map((one) => one.people));
  const rows = view.values.slice(0, SHOWN).map(({ value, people }, i) => {
    const now = column.recode[value];
    const input = text(now === undefined ? "" : now === "" ? "-" : now, (typed) => {
      const recode = { ...column.recode };
      if (typed.trim() === "") delete recode[value];
      else recode[value] = typed.trim() === "-" ? "" : typed.trim();
      set({ recode });
    });
    input.id = `recode-${i}`;
    input.setAttribute("aria-label", words("prepare.becomesOf", { value }));
    const bar = h("span", { class: "bar" });
    bar.style.inlineSize = `${Math.max(1, (100 * people) / most)}%`;
    return h("tr", {}, h("th", { scope: "row", dir: "auto" }, value), h("td", { class: "number" }, number(people)), h("td", { class: "bars", "aria-hidden": "true" }, bar), h("td", {}, input));
  });
  return h(
    "div",
    { class: "in-file" },
    title,
    h("p", { class: "quiet" }, words("prepare.distinct", { distinct: view.distinct, missing: number(view.missing) }), view.smallest !== "" && ` · ${words("prepare.range", { smallest: view.smallest, largest: view.largest })}`),
    rows.length > 0 &&
      h(
        "div",
        { class: "scroll values", id: "values-scroll", tabindex: "0", role: "region", "aria-label": words("prepare.people") },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words("prepare.value")), h("th", { scope: "col", class: "number" }, words("prepare.count")), h("td", {}), h("th", { scope: "col" }, words("prepare.becomes")))),
          h("tbody", {}, ...rows),
        ),
      ),
    h("p", { class: "quiet" }, words("prepare.recodeWhy")),
  );
}
