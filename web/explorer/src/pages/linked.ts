/** What holds across the link: pairs of attributes, numbers of links, flows and the map. */

import { Across } from "../data/across";
import type { Selection } from "../data/filter";
import { capStandsForMore, Links } from "../data/links";
import type { Table } from "../data/table";
import { findPair } from "../geo/places";
import { type Context, heading, inSentence } from "../layout/context";
import { h, setText } from "../layout/dom";
import { bars } from "../linked/bars";
import type { Bar, Cell, Item } from "../linked/data";
import { flows } from "../linked/flows";
import { flowMap } from "../linked/map";
import { matrix } from "../linked/matrix";
import { overTime } from "../linked/time";
import { keepsOrder, label } from "../panels/kinds";
import { bySize } from "../panels/panel";
import type { Column, Payload } from "../payload";
import type { Store } from "../state/store";
import { clearAll, type View, withLinked, withTable } from "../state/view";
import { selectionText, subjectText } from "../state/words";
import { selectionOf } from "./explore";

const PAIRS = "links";

const ANY = "victims with any";
/** Columns of the linked table that are always shown. */
const ALWAYS = /relation|role/i;

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
  private readonly timePlace = h("div");
  private readonly othersPlace = h("div", { class: "linked-stack" });
  private readonly flowsPlace = h("div");
  private readonly mapPlace = h("div");
  private readonly narrowed = h("p", { class: "narrowed", role: "status" });
  private readonly clear = h("button", { type: "button" });
  /** The selection that numbers, flows and map are drawn for. */
  private drawn: string | null = null;
  private readonly across: Across;
  /** The last number of links stands for more, too: links above the cap were left out. */
  private readonly orMore: boolean;
  private readonly names: { people: string; others: string };

  constructor(
    payload: Payload,
    tables: readonly Table[],
    private readonly store: Store,
    private context: Context,
  ) {
    const { words } = context;
    const data = payload.links!;
    this.links = new Links(data);
    this.people = tables.find(({ name }) => name === data.to)!;
    this.others = tables.find(({ name }) => name === data.table)!;
    this.across = new Across(this.links, this.people, this.others);
    this.orMore = capStandsForMore(payload);
    this.clear.textContent = words("explore.clearAll");
    this.clear.addEventListener("click", () => {
      this.store.set(clearAll(this.store.view));
      this.row.focus();
    });
    this.names = { people: inSentence(data.to), others: inSentence(data.table) };
    this.fill(this.row, this.people, "row");
    this.fill(this.column, this.others, "column");
    this.element = h(
      "div",
      { class: "linked" },
      h("p", { class: "lead" }, `${words("linked.intro", this.names)} ${words("linked.most", { ...this.names, n: data.most })}`),
      h("div", { class: "narrowed-line" }, this.narrowed, this.clear),
      h(
        "div",
        { class: "controls labelled", role: "group", "aria-label": words("linked.attribute") },
        h("label", {}, words("linked.rows", this.names), this.row),
        h("label", {}, words("linked.columns", this.names), this.column),
      ),
      h("div", { class: "linked-grid" }, this.matrixPlace, h("div", { class: "linked-stack" }, this.barsPlace, this.numberPlace)),
      h("div", { class: "linked-grid" }, this.timePlace, this.othersPlace),
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
    const selection = view.table === this.people.name ? selectionOf(view, this.people) : new Map<number, ReadonlySet<number>>();
    this.tell(view, selection);
    // Saved figures say who is counted.
    this.context = { ...this.context, subject: subjectText(selection, this.people, this.context) };
    this.matrixPlace.replaceChildren(this.matrix(selection, row, column));
    this.barsPlace.replaceChildren(this.bars(selection, column, roomOf(this.barsPlace, 640)));
    const time = this.people.data.columns.find((one) => one.time && this.links.has(PAIRS, `${this.people.name}.${one.name}`));
    this.timePlace.replaceChildren(...(time ? [this.overTime(selection, time, column)] : []));
    const beside = this.others.data.columns.filter((one) => one !== column && ALWAYS.test(one.name) && this.links.has(ANY, `${this.others.name}.${one.name}`));
    const room = roomOf(this.othersPlace, 640);
    this.othersPlace.replaceChildren(...beside.map((one) => this.bars(selection, one, room)));
    const asked = JSON.stringify([...selection].map(([at, values]) => [at, [...values]]));
    if (this.drawn === asked) return;
    this.drawn = asked;
    this.numberPlace.replaceChildren(this.numberOfLinks(selection));
    const pair = findPair(this.people.data.columns);
    if (pair) this.drawMoves(selection, pair.origin, pair.destination);
  }

  /** What narrows the page, or why it does not. */
  private tell(view: View, selection: Selection): void {
    const { words } = this.context;
    const table = view.table === this.people.name ? this.people : this.others;
    const chosen = selectionText(selectionOf(view, table), table, this.context);
    const text = { ...this.names, selection: chosen };
    const elsewhere = view.table !== this.people.name && chosen !== "";
    setText(this.narrowed, elsewhere ? words("linked.notNarrowed", text) : selection.size > 0 ? words("linked.narrowed", text) : words("linked.whole", this.names));
    this.clear.hidden = chosen === "";
  }

  private matrix(selection: Selection, row: Column, column: Column): HTMLElement {
    const { words } = this.context;
    const cells = this.across.pairs(selection, this.people.column(row.name), this.others.column(column.name));
    const [rowName, columnName] = [heading(row.name), heading(column.name)];
    const title = words("linked.matrixLabel", { ...this.names, row: rowName, column: columnName });
    return matrix(
      { title, rowName, columnName, rows: items(row), columns: items(column), cells },
      { width: roomOf(this.matrixPlace, 900), onPick: (value) => this.pick(new Map([[row.name, value]])) },
      this.context,
    );
  }

  /** How many people have at least one link of each kind. */
  private bars(selection: Selection, column: Column, width: number): HTMLElement {
    const { words } = this.context;
    const found = this.across.withAny(selection, this.others.column(column.name)).flatMap((estimate, i): Bar[] => {
      const value = column.values[i]!;
      return estimate ? [{ value, label: label(value), estimate }] : [];
    });
    if (!keepsOrder(column)) found.sort((a, b) => bySize(a.estimate, b.estimate));
    return bars({ title: heading(column.name), help: heading(words("linked.ofPeople", this.names)), name: heading(column.name), bars: found }, { width }, this.context);
  }

  /** Links by a time of people, for every value of a column of the linked table. */
  private overTime(selection: Selection, time: Column, column: Column): HTMLElement {
    const { words } = this.context;
    const [timeName, name] = [heading(time.name), heading(column.name)];
    const cells = this.across.pairs(selection, this.people.column(time.name), this.others.column(column.name));
    return overTime(
      { title: words("linked.time", { column: name }), help: words("linked.timeHelp", { time: timeName }), timeName, name, times: items(time), values: items(column), cells },
      { width: roomOf(this.timePlace, 900), onPick: (value) => this.pick(new Map([[time.name, value]])) },
      this.context,
    );
  }

  private numberOfLinks(selection: Selection): HTMLElement {
    const { words } = this.context;
    const { most } = this.links.data;
    const found = this.across.byNumber(selection).map(({ value, estimate }): Bar => {
      const text = this.context.number(Number(value));
      return { value, label: this.orMore && Number(value) === most ? words("linked.orMore", { value: text }) : text, estimate };
    });
    const title = heading(words("linked.number", this.names));
    return bars({ title, help: words("linked.most", { ...this.names, n: most }), name: words("linked.numberAxis", this.names), bars: found }, { width: roomOf(this.numberPlace, 640) }, this.context);
  }

  private drawMoves(selection: Selection, origin: number, destination: number): void {
    const { words } = this.context;
    const [from, to] = [this.people.data.columns[origin]!, this.people.data.columns[destination]!];
    const cells = this.people.cross(selection, origin, destination).map(({ one, two, estimate }): Cell => ({ row: from.values[one]!, column: to.values[two]!, estimate }));
    const counts = this.people.count(selection);
    const there = selection.get(destination);
    const arrived = to.values.flatMap((value, i): Bar[] =>
      !there || there.has(i) ? [{ value, label: label(value), estimate: this.people.mark(selection, counts, destination, i) }] : [],
    );
    const names = { origin: heading(from.name), destination: heading(to.name) };
    const data = { originName: names.origin, destinationName: names.destination, origins: items(from), destinations: items(to), cells };
    const onPick = (one: string, two: string): void => this.pick(new Map([[from.name, one], [to.name, two]]));
    this.flowsPlace.replaceChildren(
      flows({ ...data, title: words("flows.title", names) }, { width: roomOf(this.flowsPlace, 900), onPick }, this.context),
    );
    this.mapPlace.replaceChildren(
      flowMap({ ...data, arrived, title: words("map.title", names) }, { width: roomOf(this.mapPlace, 1200), onPick }, this.context),
    );
  }

  /** A mark leads to the panels, narrowed to what it stands for: its values beside what was selected already. */
  private pick(values: ReadonlyMap<string, string>): void {
    const view = withTable(this.store.view, this.people.name);
    const chosen = new Map(view.chosen);
    for (const [column, value] of values) chosen.set(column, new Set([value]));
    this.store.set({ ...view, page: "explore", chosen });
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
