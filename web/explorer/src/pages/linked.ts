/** What holds across the link: pairs of attributes, numbers of links, flows and the map. */

import { Links } from "../data/links";
import type { Table } from "../data/table";
import { findPair } from "../geo/places";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import { bars } from "../linked/bars";
import type { Bar, Cell, Item } from "../linked/data";
import { flows } from "../linked/flows";
import { flowMap } from "../linked/map";
import { matrix } from "../linked/matrix";
import { label } from "../panels/kinds";
import type { Column, Payload } from "../payload";
import type { Store } from "../state/store";
import { type View, withLinked, withTable } from "../state/view";

const PAIRS = "links";
const WITH_ANY = "victims with any";

const items = (column: Column): Item[] => column.values.map((value) => ({ value, label: label(value) }));

class LinkedPage {
  readonly element: HTMLElement;
  private readonly links: Links;
  private readonly people: Table;
  private readonly others: Table;
  private readonly row = h("select");
  private readonly column = h("select");
  private readonly matrixPlace = h("div");
  private readonly barsPlace = h("div");
  private readonly numberPlace = h("div");
  private readonly flowsPlace = h("div");
  private readonly mapPlace = h("div");
  /** Drawn once: what does not depend on the view. */
  private drawn = false;
  private readonly names: { people: string; others: string };

  constructor(
    payload: Payload,
    tables: readonly Table[],
    private readonly store: Store,
    private readonly context: Context,
  ) {
    const { words } = context;
    const data = payload.links!;
    this.links = new Links(data);
    this.people = tables.find(({ name }) => name === data.to)!;
    this.others = tables.find(({ name }) => name === data.table)!;
    this.names = { people: inSentence(data.to), others: inSentence(data.table) };
    this.fill(this.row, this.people, "row");
    this.fill(this.column, this.others, "column");
    this.element = h(
      "div",
      { class: "linked" },
      h("p", { class: "lead" }, `${words("linked.intro", this.names)} ${words("linked.most", { ...this.names, n: data.most })}`),
      h(
        "div",
        { class: "controls labelled", role: "group", "aria-label": words("linked.attribute") },
        h("label", {}, words("linked.rows", this.names), this.row),
        h("label", {}, words("linked.columns", this.names), this.column),
      ),
      h("div", { class: "linked-grid" }, this.matrixPlace, h("div", { class: "linked-stack" }, this.barsPlace, this.numberPlace)),
      h("div", { class: "linked-grid" }, this.flowsPlace, this.mapPlace),
    );
  }

  private fill(select: HTMLSelectElement, table: Table, name: string): void {
    for (const column of table.data.columns) {
      if (!this.links.has(PAIRS, `${table.name}.${column.name}`)) continue;
      select.append(h("option", { value: column.name }, heading(column.name)));
    }
    select.addEventListener("change", () => this.store.set(withLinked(this.store.view, name, select.value)));
  }

  /** The page is in the document by now, so that the room for drawings is known. */
  update(view: View): void {
    const choose = (select: HTMLSelectElement, name: string, otherwise: RegExp): Column | undefined => {
      const values = [...select.options].map((option) => option.value);
      const asked = view.linked.get(name);
      const value = asked !== undefined && values.includes(asked) ? asked : (values.find((one) => otherwise.test(one)) ?? values[0]);
      if (value !== undefined) select.value = value;
      return (select === this.row ? this.people : this.others).data.columns.find((column) => column.name === value);
    };
    const row = choose(this.row, "row", /sector|exploit|control/i);
    const column = choose(this.column, "column", /relation|role/i);
    if (!row || !column) return;
    this.matrixPlace.replaceChildren(this.matrix(row, column));
    this.barsPlace.replaceChildren(this.bars(column));
    if (this.drawn) return;
    this.drawn = true;
    this.numberPlace.replaceChildren(this.numberOfLinks());
    const pair = findPair(this.people.data.columns);
    if (pair) this.drawMoves(pair.origin, pair.destination);
  }

  private matrix(row: Column, column: Column): HTMLElement {
    const { words } = this.context;
    const cells: Cell[] = [];
    for (const one of row.values) {
      for (const two of column.values) {
        const estimate = this.links.find(PAIRS, { [`${this.people.name}.${row.name}`]: one, [`${this.others.name}.${column.name}`]: two });
        if (estimate) cells.push({ row: one, column: two, estimate });
      }
    }
    const [rowName, columnName] = [heading(row.name), heading(column.name)];
    const title = words("linked.matrixLabel", { ...this.names, row: rowName, column: columnName });
    return matrix(
      { title, rowName, columnName, rows: items(row), columns: items(column), cells },
      { width: roomOf(this.matrixPlace, 900), onPick: (value) => this.pick(row.name, value) },
      this.context,
    );
  }

  /** How many people have at least one link of each kind. */
  private bars(column: Column): HTMLElement {
    const { words } = this.context;
    const found = column.values.flatMap((value): Bar[] => {
      const estimate = this.links.find(WITH_ANY, { [`${this.others.name}.${column.name}`]: value });
      return estimate ? [{ value, label: label(value), estimate }] : [];
    });
    return bars({ title: heading(column.name), help: heading(words("linked.ofPeople", this.names)), name: heading(column.name), bars: found }, { width: roomOf(this.barsPlace, 640) }, this.context);
  }

  private numberOfLinks(): HTMLElement {
    const { words } = this.context;
    const name = this.links.number;
    const numbers = this.links.numbers();
    const found = numbers.flatMap((value): Bar[] => {
      const estimate = name === null ? undefined : this.links.find(this.links.whole, { [name]: value });
      return estimate ? [{ value, label: value, estimate }] : [];
    });
    const title = words("linked.number", this.names);
    return bars({ title, help: words("linked.most", { ...this.names, n: this.links.data.most }), name: words("linked.numberAxis", this.names), bars: found }, { width: roomOf(this.numberPlace, 640) }, this.context);
  }

  private drawMoves(origin: number, destination: number): void {
    const { words } = this.context;
    const [from, to] = [this.people.data.columns[origin]!, this.people.data.columns[destination]!];
    const cells = this.people.cross(origin, destination).map(({ one, two, estimate }): Cell => ({ row: from.values[one]!, column: to.values[two]!, estimate }));
    const nothing = new Map<number, ReadonlySet<number>>();
    const counts = this.people.count(nothing);
    const arrived = to.values.map((value, i): Bar => ({ value, label: label(value), estimate: this.people.mark(nothing, counts, destination, i) }));
    const names = { origin: heading(from.name), destination: heading(to.name) };
    const data = { originName: names.origin, destinationName: names.destination, origins: items(from), destinations: items(to), cells };
    const onPick = (one: string, two: string): void => this.pickPair(from.name, one, to.name, two);
    this.flowsPlace.replaceChildren(
      flows({ ...data, title: words("flows.title", names) }, { width: roomOf(this.flowsPlace, 900), onPick }, this.context),
    );
    this.mapPlace.replaceChildren(
      flowMap({ ...data, arrived, title: words("map.title", names) }, { width: roomOf(this.mapPlace, 1200), onPick }, this.context),
    );
  }

  /** A mark leads to the panels, narrowed to what it stands for. */
  private pick(column: string, value: string): void {
    const view = withTable(this.store.view, this.people.name);
    this.store.set({ ...view, page: "explore", chosen: new Map([[column, new Set([value])]]) });
  }

  private pickPair(from: string, one: string, to: string, two: string): void {
    const view = withTable(this.store.view, this.people.name);
    this.store.set({
      ...view,
      page: "explore",
      chosen: new Map([
        [from, new Set([one])],
        [to, new Set([two])],
      ]),
    });
  }
}

/** What a card takes of its place at both sides, in pixels, as in src/style/pages.css. */
const INSET = 42;

/** Room for a drawing in its place, at most so many pixels. */
function roomOf(place: HTMLElement, most: number): number {
  return Math.max(260, Math.min(most, (place.clientWidth || most) - INSET));
}

export function linkedPage(payload: Payload, tables: readonly Table[], store: Store, context: Context): { element: HTMLElement; update: (view: View) => void } {
  const page = new LinkedPage(payload, tables, store, context);
  return { element: page.element, update: (view) => page.update(view) };
}
