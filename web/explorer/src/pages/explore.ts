/** The explorer: a table, what is selected in it, and a panel for each column. */

import type { Selection } from "../data/filter";
import type { Table } from "../data/table";
import { type Context, heading, inSentence } from "../layout/context";
import { h, setText } from "../layout/dom";
import { legend } from "../layout/legend";
import { Board } from "../panels/board";
import { label } from "../panels/kinds";
import type { Store } from "../state/store";
import { clearAll, clearColumn, toggle, togglePin, type View, withTable } from "../state/view";

const MANY_COLUMNS = 8;

export function selectionOf(view: View, table: Table): Selection {
  const selection = new Map<number, Set<number>>();
  for (const [name, values] of view.chosen) {
    const position = table.column(name);
    if (position < 0) continue;
    const declared = table.data.columns[position]!.values;
    selection.set(position, new Set([...values].map((value) => (value === "" ? -1 : declared.indexOf(value)))));
  }
  return selection;
}

export class ExplorePage {
  readonly element: HTMLElement;
  private board: Board | null = null;
  private shown: Table | null = null;
  private readonly place = h("div", { class: "board-place" });
  private readonly summary = h("p", { class: "summary", role: "status", "aria-live": "polite", id: "summary" });
  private readonly chips = h("ul", { class: "chips" });
  private readonly clear: HTMLButtonElement;
  private readonly back: HTMLButtonElement;
  private readonly forward: HTMLButtonElement;
  private readonly share: HTMLButtonElement;
  private readonly tabs: HTMLButtonElement[];
  private readonly none: HTMLElement;
  private readonly search: HTMLInputElement;

  constructor(
    private readonly tables: readonly Table[],
    private readonly store: Store,
    private readonly level: number,
    private readonly context: Context,
  ) {
    const { words } = context;
    const button = (text: string, act: () => void): HTMLButtonElement => {
      const made = h("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.clear = button(words("explore.clearAll"), () => this.store.set(clearAll(this.store.view)));
    this.back = button(words("explore.back"), () => this.store.back());
    this.forward = button(words("explore.forward"), () => this.store.forward());
    this.share = button(words("explore.share"), () => void this.copy());
    this.tabs = tables.map((table) =>
      button(heading(table.name), () => this.store.set(withTable(this.store.view, table.name))),
    );
    this.none = h("p", { class: "quiet", hidden: true, role: "status" }, words("explore.noColumn"));
    this.search = h("input", {
      type: "search",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: words("explore.searchColumns"),
      "aria-label": words("explore.searchColumns"),
    });
    this.search.addEventListener("input", () => this.filterColumns());
    this.element = h(
      "div",
      { class: "explore" },
      h(
        "div",
        { class: "controls" },
        tables.length > 1 && h("div", { class: "switch", role: "group", "aria-label": words("explore.table") }, ...this.tabs),
        this.search,
      ),
      h(
        "section",
        { class: "selection", "aria-label": words("explore.selection") },
        h("div", { class: "selection-line" }, this.summary, h("span", { class: "buttons" }, this.clear, this.back, this.forward, this.share)),
        this.chips,
      ),
      legend(this.level, context),
      this.none,
      this.place,
    );
  }

  update(view: View): void {
    const table = this.tables.find(({ name }) => name === view.table);
    if (!table) return;
    if (table !== this.shown) this.show(table);
    const selection = selectionOf(view, table);
    const counts = table.count(selection);
    this.board!.update(selection, counts, view.pinned);
    this.drawSummary(view, table, selection, counts);
    this.drawChips(view);
    this.clear.disabled = view.chosen.size === 0;
    this.back.disabled = !this.store.canGoBack;
    this.forward.disabled = !this.store.canGoForward;
    this.tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(this.tables[i] === table)));
  }

  private show(table: Table): void {
    this.board?.close();
    this.shown = table;
    this.board = new Board(
      table,
      {
        toggle: (column, value) => this.store.set(toggle(this.store.view, column, value)),
        clear: (column) => this.store.set(clearColumn(this.store.view, column)),
        pin: (column) => this.store.set(togglePin(this.store.view, column)),
      },
      this.context,
    );
    this.place.replaceChildren(this.board.element);
    this.search.hidden = table.data.columns.length < MANY_COLUMNS;
    this.search.value = "";
    this.none.hidden = true;
  }

  private filterColumns(): void {
    this.none.hidden = this.board!.search(this.search.value) > 0;
  }

  private drawSummary(view: View, table: Table, selection: Selection, counts: ReturnType<Table["count"]>): void {
    const { words } = this.context;
    const name = inSentence(table.name);
    const total = table.total(selection, counts);
    const values = { table: name, count: total.count, lower: total.lower, upper: total.upper };
    const sentence = total.few ? words("explore.tooFew", values) : words("explore.about", values);
    const source = view.chosen.size > 0 ? ` · ${words(`source.${total.source}`)}` : "";
    setText(this.summary, view.chosen.size > 0 ? `${sentence}${source}` : `${sentence}. ${words("explore.nothing", { table: name })}`);
    this.summary.dataset["source"] = total.source;
  }

  private drawChips(view: View): void {
    const { words } = this.context;
    const items: HTMLElement[] = [];
    for (const [column, values] of view.chosen) {
      const chosen = [...values].map((value) => {
        const text = value === "" ? words("explore.blank") : label(value);
        const remove = h(
          "button",
          { type: "button", class: "chip", "aria-label": words("explore.remove", { value: text }) },
          h("span", { dir: "auto" }, text),
          h("span", { class: "cross", "aria-hidden": "true" }, "×"),
        );
        remove.addEventListener("click", () => {
          this.store.set(toggle(this.store.view, column, value));
          (this.chips.querySelector<HTMLElement>(".chip") ?? this.back).focus();
        });
        return remove;
      });
      items.push(h("li", {}, h("span", { class: "chip-column", dir: "auto" }, heading(column)), ...chosen));
    }
    this.chips.replaceChildren(...items);
    this.chips.hidden = items.length === 0;
  }

  private async copy(): Promise<void> {
    const { words } = this.context;
    const said = await copyText(location.href).then(
      () => words("copy.copied"),
      () => words("copy.failed"),
    );
    setText(this.share, said);
    setTimeout(() => setText(this.share, words("explore.share")), 2000);
  }
}

/** From a file, some browsers have no clipboard: then the old way. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = h("textarea", { readonly: true, class: "hidden" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("no clipboard");
  }
}
