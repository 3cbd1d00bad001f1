/** Prepare: what is released of each column, and how coarse; the recipe, before and after. */

import type { Condition, Prepared, TableDraft } from "../contract";
import { changeColumn, changeWhere, tableOf } from "../draft/change";
import { aside, button, card, choice, edit, field, grid, h, type Kit, loose, next, remarks, text, told } from "../ui/kit";
import { columnPanel } from "./column";

export function prepareStep(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const draft = app.draft!;
  const table = tableOf(draft, app.table) ?? draft.tables[0]!;
  const prepared = app.live("prepared", { draft, table: table.name }, () => app.engine.ask("prepare", { draft, table: table.name }));
  const parts: HTMLElement[] = [h("p", { class: "lead" }, words("prepare.lead"))];
  if (draft.tables.length > 1) parts.push(tables(kit));
  parts.push(
    h("div", { class: "prepare" }, columns(kit, table, prepared), columnPanel(kit, table)),
    filter(kit, table),
    recipe(kit, table, prepared),
    next(kit, "risk"),
  );
  return parts;
}

function tables(kit: Kit): HTMLElement {
  const { app, words } = kit;
  const group = h("div", { class: "switch", role: "group", "aria-label": words("prepare.table") });
  for (const { name } of app.draft!.tables) {
    const one = button(`table-${name}`, name, () => {
      app.table = name;
      app.column = tableOf(app.draft!, name)?.columns[0]?.name ?? "";
      app.tell();
    });
    one.setAttribute("aria-pressed", String(name === app.table));
    group.append(one);
  }
  return group;
}

function columns(kit: Kit, table: TableDraft, prepared: Prepared | null): HTMLElement {
  const { app, words } = kit;
  const list = h("ul", { class: "columns" });
  table.columns.forEach((column, i) => {
    const keep = h("input", { type: "checkbox", id: `keep-${i}`, "aria-label": words("prepare.keep", { column: column.name }) });
    keep.checked = column.keep;
    keep.addEventListener("change", () => edit(kit, (draft) => changeColumn(draft, table.name, column.name, { keep: keep.checked })));
    const flags = (prepared?.remarks ?? []).filter((remark) => remark.column === column.name && remark.level !== "note");
    const about = column.keep ? words(`kind.${column.kind}`) : aside(kit, column);
    const choose = h(
      "button",
      { type: "button", id: `column-${i}`, class: "column-name", "aria-current": column.name === app.column ? "true" : null },
      h("bdi", {}, column.name),
      h("span", { class: "quiet" }, about),
      flags.length > 0 && h("span", { class: `flag ${flags[0]!.level}` }, words(`remark.${flags[0]!.level}`)),
    );
    choose.addEventListener("click", () => {
      app.column = column.name;
      app.tell();
      if (matchMedia("(max-width: 60rem)").matches) document.getElementById("column-panel")?.scrollIntoView({ block: "start" });
    });
    list.append(h("li", { class: column.keep ? null : "aside" }, keep, choose));
  });
  const key = table.key ?? table.links?.key;
  return h("section", { class: "card" }, h("h3", {}, words("prepare.columns")), key ? h("p", { class: "quiet" }, h("bdi", {}, key), ` · ${words("prepare.key")}`) : null, list);
}

function filter(kit: Kit, table: TableDraft): HTMLElement {
  const { words } = kit;
  const items = table.where.map((one, i) => {
    const rule = one.is !== null ? words("filter.is") : words("filter.isNot");
    const said = `${one.column} ${rule} ${(one.is ?? one.is_not ?? []).join(" | ")}`;
    return h(
      "li",
      {},
      h("span", { dir: "auto" }, said),
      button(`where-${i}`, words("filter.remove"), () => edit(kit, (draft) => changeWhere(draft, table.name, table.where.filter((_, at) => at !== i))), { kind: "plain" }),
    );
  });
  const names = [...new Set(table.columns.map((column) => column.from))].map((name) => [name, name] as const);
  const column = loose(choice(names[0]?.[0] ?? "", names, () => undefined));
  const rule = loose(choice("is", [["is", words("filter.is")], ["is_not", words("filter.isNot")]] as const, () => undefined));
  const values = loose(text("", () => undefined));
  const add = (): void => {
    const wanted = values.value.split("|").map((part) => part.trim()).filter((part) => part !== "");
    if (wanted.length === 0) {
      values.focus();
      return;
    }
    const condition: Condition = { column: column.value, is: rule.value === "is" ? wanted : null, is_not: rule.value === "is" ? null : wanted };
    values.value = "";
    edit(kit, (draft) => changeWhere(draft, table.name, [...table.where, condition]));
  };
  return h(
    "details",
    { class: "card", id: "filter" },
    h("summary", {}, words("prepare.filter"), table.where.length > 0 && ` (${kit.number(table.where.length)})`),
    h("p", { class: "quiet" }, words("prepare.filterWhy")),
    items.length > 0 && h("ul", { class: "where-list" }, ...items),
    h(
      "div",
      { class: "fields" },
      field("where-column", words("filter.column"), column),
      field("where-rule", words("filter.rule"), rule),
      field("where-values", words("filter.values"), values),
      button("where-add", words("filter.add"), add),
    ),
  );
}

function recipe(kit: Kit, table: TableDraft, prepared: Prepared | null): HTMLElement {
  const { words } = kit;
  if (!prepared) return card(words("prepare.recipe"), h("p", { class: "quiet" }, words("engine.working")));
  const steps = prepared.recipe.filter((step) => step.table === table.name);
  return card(
    words("prepare.recipe"),
    steps.length > 0 ? h("ol", { class: "recipe" }, ...steps.map((step) => told(kit, "li", step.said, step.sentence))) : h("p", { class: "quiet" }, words("prepare.recipeNone")),
    prepared.remarks.length > 0 && remarks(kit, prepared.remarks),
    h("p", {}, words("prepare.kept", { kept: prepared.kept, rows: prepared.rows })),
    h(
      "div",
      { class: "pair" },
      grid(kit, "before", `${words("prepare.before")} · ${words("open.private")}`, prepared.before),
      grid(kit, "after", `${words("prepare.after")} · ${words("open.private")}`, prepared.after),
    ),
  );
}
