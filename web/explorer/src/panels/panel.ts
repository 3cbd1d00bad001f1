/** One column: its values with their numbers, and what can be done with them. */

import type { Counts, Selection } from "../data/filter";
import type { Table } from "../data/table";
import type { Estimate } from "../estimate";
import { figureButtons } from "../export/index";
import { keyOfCounts } from "../export/key";
import { type Context, heading } from "../layout/context";
import { fold, h, roving, setText } from "../layout/dom";
import type { Column } from "../payload";
import { subjectText } from "../state/words";
import { drawingOf, keepsOrder, label } from "./kinds";
import { Line } from "./line";
import { Mark, scaleOf, spoken } from "./mark";
import { picture } from "./picture";
import { type Row, twin } from "./twin";
import { upright } from "./upright";

/** So many values are shown before somebody asks for more. */
const SHOWN = 8;
const LONG = 10;

export interface Actions {
  toggle(column: string, value: string): void;
  clear(column: string): void;
  pin(column: string): void;
}

export class Panel {
  readonly element: HTMLElement;
  private readonly column: Column;
  private readonly drawing;
  private readonly marks = new Map<number, Mark>();
  private readonly list: HTMLElement;
  private readonly blanks: HTMLElement;
  private readonly line: Line | null;
  private readonly detail: HTMLElement;
  private readonly clearButton: HTMLButtonElement;
  private readonly pinButton: HTMLButtonElement;
  private readonly details: HTMLDetailsElement;
  private readonly empty: HTMLElement;
  /** Says what a question mark over a column stands for. */
  private readonly note: HTMLElement;
  private more: HTMLButtonElement | null = null;
  private asked = "";
  private open = false;
  private selection: Selection = new Map();
  private counts: Counts | null = null;

  constructor(
    private readonly table: Table,
    readonly position: number,
    private readonly hasBlank: boolean,
    private readonly actions: Actions,
    private readonly context: Context,
  ) {
    const column = (this.column = table.data.columns[position]!);
    const { words } = context;
    this.drawing = drawingOf(column);
    const title = heading(column.name);
    const id = `panel-${position}`;
    this.line = this.drawing === "time" ? new Line(column.values.length) : null;
    this.list = h("div", { class: `marks ${this.drawing === "bars" ? "rows" : "upright"} ${this.drawing}` });
    if (this.drawing !== "bars") this.list.style.setProperty("--values", String(column.values.length));
    this.list.classList.toggle("joined", column.kind === "binned");
    this.blanks = h("div", { class: "marks rows blanks" });
    this.detail = h("p", { class: "detail", "aria-hidden": "true" });
    this.empty = h("p", { class: "quiet", hidden: true }, words("explore.noMatch"));
    this.note = h("p", { class: "note", "aria-hidden": "true", hidden: true }, `? ${words("estimate.few")}`);
    this.clearButton = h(
      "button",
      { type: "button", class: "plain", "aria-label": words("explore.clearColumn", { column: title }), hidden: true },
      words("explore.clear"),
    );
    this.clearButton.addEventListener("click", () => {
      this.actions.clear(column.name);
      this.firstMark()?.focus();
    });
    this.pinButton = h("button", { type: "button", class: "plain pin" });
    this.pinButton.addEventListener("click", () => this.actions.pin(column.name));
    const group = h("div", { role: "group", "aria-labelledby": id, class: "group" }, this.list, this.blanks);
    if (this.line) this.list.append(this.line.element);
    roving(group, () => [...group.querySelectorAll<HTMLElement>(".mark")], this.drawing !== "bars");
    group.addEventListener("click", (event) => this.clicked(event.target as HTMLElement));
    for (const event of ["focusin", "pointerover"]) group.addEventListener(event, (e) => this.tell(e.target as HTMLElement));
    for (const event of ["focusout", "pointerleave"]) group.addEventListener(event, () => this.tell(null));
    this.details = this.makeDetails(title);
    this.element = h(
      "section",
      { class: "panel", "aria-labelledby": id, "data-column": column.name },
      h(
        "div",
        { class: "panel-head" },
        h("h3", { id, dir: "auto" }, title),
        h("span", { class: "panel-tools" }, this.clearButton, this.pinButton),
      ),
      fold(column.meaning) !== fold(title) && column.meaning !== "" && h("p", { class: "meaning", dir: "auto" }, column.meaning),
      column.set && h("p", { class: "meaning hint" }, words("explore.setColumn")),
      column.values.length > LONG && this.drawing === "bars" && this.makeSearch(title),
      group,
      this.empty,
      this.more,
      this.note,
      h("div", { class: "panel-foot" }, this.detail, this.details),
    );
  }

  private makeSearch(title: string): HTMLElement {
    const { words } = this.context;
    const input = h("input", {
      type: "search",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: words("explore.search"),
      "aria-label": words("explore.searchIn", { column: title }),
    });
    input.addEventListener("input", () => {
      this.asked = fold(input.value.trim());
      this.draw();
    });
    this.more = h("button", { type: "button", class: "plain more", "aria-expanded": "false" });
    this.more.addEventListener("click", () => {
      this.open = !this.open;
      this.more!.setAttribute("aria-expanded", String(this.open));
      this.draw();
    });
    return h("div", { class: "search" }, input);
  }

  private makeDetails(title: string): HTMLDetailsElement {
    const body = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": this.context.words("table.caption", { title }) });
    const details = h("details", {}, h("summary", {}, this.context.words("table.show")), body);
    details.addEventListener("toggle", () => this.fillDetails());
    return details;
  }

  /** The table twin and the buttons for saving are made when somebody opens them. */
  private fillDetails(): void {
    const body = this.details.querySelector("div")!;
    if (!this.details.open || !this.counts) {
      body.replaceChildren();
      return;
    }
    const title = heading(this.column.name);
    body.replaceChildren(
      twin(title, title, this.rows(), this.context),
      figureButtons(
        {
          title,
          subject: subjectText(this.selection, this.table, this.context, this.position),
          key: keyOfCounts(this.rows().map(({ estimate }) => estimate), this.context),
          svg: () => this.picture(title),
          heads: [title],
          rows: () => this.rows().map(({ label, estimate }) => ({ labels: [label], estimate })),
        },
        this.context.footer,
        this.context.words,
      ),
    );
  }

  /** All values with their numbers, in the order of the figure. */
  rows(): Row[] {
    const row = (value: number): Row => ({ label: this.labelOf(value), estimate: this.estimate(value) });
    const rows = this.ranked().map(row);
    if (this.drawing === "bars" && !keepsOrder(this.column)) rows.sort((a, b) => bySize(a.estimate, b.estimate));
    return this.hasBlank ? [...rows, row(-1)] : rows;
  }

  /** The figure as one drawing. most: so many values of a list. width: pixels, as for saving unless given. */
  picture(title: string, { most = Infinity, width }: { most?: number; width?: number } = {}): SVGSVGElement {
    const rows = this.rows();
    if (this.drawing === "bars") return picture(title, rows.slice(0, most), this.context, width);
    const blank = this.hasBlank ? rows.pop()! : null;
    return upright(title, rows, blank, { line: this.drawing === "time", joined: this.column.kind === "binned" }, this.context, width);
  }

  update(selection: Selection, counts: Counts, pinned: boolean): void {
    this.selection = selection;
    this.counts = counts;
    const { words } = this.context;
    const title = heading(this.column.name);
    setText(this.pinButton, pinned ? words("explore.unpin") : words("explore.pin"));
    this.pinButton.setAttribute(
      "aria-label",
      pinned ? words("explore.unpinColumn", { column: title }) : words("explore.pinColumn", { column: title }),
    );
    this.element.classList.toggle("pinned", pinned);
    this.draw();
    if (this.details.open) this.fillDetails();
  }

  private estimate(value: number): Estimate {
    return this.table.mark(this.selection, this.counts!, this.position, value);
  }

  private labelOf(value: number): string {
    return value < 0 ? this.context.words("explore.blank") : label(this.column.values[value]!);
  }

  private ranked(): number[] {
    const values = this.column.values.map((_, i) => i);
    if (keepsOrder(this.column) || this.column.values.length <= 2) return values;
    const inRecords = this.counts!.values[this.position]!;
    return values.sort((a, b) => inRecords[b]! - inRecords[a]! || a - b);
  }

  /** The values on show: those that match the search, or the largest and the chosen ones. */
  private visible(): number[] {
    const ranked = this.ranked();
    if (this.more === null) return ranked;
    if (this.asked !== "") return ranked.filter((value) => fold(this.labelOf(value)).includes(this.asked));
    if (this.open) return ranked;
    const chosen = this.selection.get(this.position);
    return ranked.filter((value, i) => i < SHOWN || chosen?.has(value));
  }

  private draw(): void {
    const values = this.visible();
    const chosen = this.selection.get(this.position);
    const wanted = values.map((value) => this.mark(value));
    const estimates = values.map((value) => this.estimate(value));
    if (this.drawing === "bars" && !keepsOrder(this.column)) sortBySize(wanted, estimates);
    const blank = this.hasBlank ? [this.mark(-1)] : [];
    if (blank.length > 0) estimates.push(this.estimate(-1));
    // Blanks are no value: where there are values to compare, they get a number and no bar that would dwarf the others.
    const compared = this.column.values.length > 2;
    for (const mark of blank) mark.element.classList.toggle("untracked", compared);
    const scale = scaleOf(compared ? estimates.slice(0, values.length) : estimates);
    place(this.list, wanted, this.line?.element ?? null);
    place(this.blanks, blank, null);
    [...wanted, ...blank].forEach((mark, i) => mark.update(estimates[i]!, scale, chosen?.has(mark.value) ?? false));
    this.line?.update(estimates.slice(0, values.length), scale);
    const tabbable = [...wanted, ...blank];
    if (!tabbable.some((mark) => mark.element.tabIndex === 0)) {
      const first = tabbable.find((mark) => chosen?.has(mark.value)) ?? tabbable[0];
      if (first) first.element.tabIndex = 0;
    }
    this.element.classList.toggle("narrowing", (chosen?.size ?? 0) > 0);
    this.clearButton.hidden = !chosen?.size;
    this.empty.hidden = values.length > 0;
    this.note.hidden = this.drawing === "bars" || !estimates.slice(0, values.length).some((estimate) => estimate.few);
    this.list.classList.toggle("tall", this.open || this.asked !== "");
    if (this.more) {
      const { words } = this.context;
      this.more.hidden = this.asked !== "";
      setText(this.more, this.open ? words("explore.showFewer") : words("explore.showAll", { n: this.column.values.length }));
    }
    const focused = this.element.querySelector<HTMLElement>(".mark:focus");
    if (focused) this.tell(focused);
  }

  private mark(value: number): Mark {
    let mark = this.marks.get(value);
    if (!mark) this.marks.set(value, (mark = new Mark(value, this.labelOf(value), this.context)));
    return mark;
  }

  private firstMark(): HTMLElement | null {
    return this.element.querySelector<HTMLElement>('.mark[tabindex="0"]');
  }

  private clicked(target: HTMLElement): void {
    const button = target.closest<HTMLElement>(".mark");
    if (!button) return;
    const value = Number(button.dataset["value"]);
    this.actions.toggle(this.column.name, value < 0 ? "" : this.column.values[value]!);
  }

  /** The line below the marks says the number that is pointed at, in full. */
  private tell(target: HTMLElement | null): void {
    const button = target?.closest<HTMLElement>(".mark") ?? this.element.querySelector<HTMLElement>(".mark:focus-visible");
    const mark = button ? this.marks.get(Number(button.dataset["value"])) : undefined;
    setText(this.detail, mark?.estimate ? spoken(mark.label, mark.estimate, this.context) : "");
  }
}

/** Largest first; what is too few to tell comes last, by the most that it can be. */
export function bySize(a: Estimate, b: Estimate): number {
  const size = (estimate: Estimate): number => (estimate.few ? -1 : estimate.count);
  return size(b) - size(a) || b.upper - a.upper;
}

/** Sorts marks and their estimates together. */
function sortBySize(marks: Mark[], estimates: Estimate[]): void {
  const both = marks.map((mark, i) => ({ mark, estimate: estimates[i]! }));
  both.sort((a, b) => bySize(a.estimate, b.estimate) || a.mark.value - b.mark.value);
  both.forEach(({ mark, estimate }, i) => {
    marks[i] = mark;
    estimates[i] = estimate;
  });
}

/** Puts marks into a list in this order, touching the document only where it differs, and keeping the focus. */
function place(list: HTMLElement, marks: readonly Mark[], before: Element | null): void {
  const wanted = [...(before ? [before] : []), ...marks.map((mark) => mark.element)];
  if (wanted.length === list.children.length && wanted.every((element, i) => list.children[i] === element)) return;
  const active = document.activeElement as HTMLElement | null;
  const inside = active !== null && list.contains(active);
  list.replaceChildren(...wanted);
  if (inside && list.contains(active)) active.focus({ preventScroll: true });
}
