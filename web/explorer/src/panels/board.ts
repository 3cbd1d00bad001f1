/** All panels of a table, pinned ones first. */

import type { Selection } from "../data/filter";
import type { Counts } from "../data/filter";
import type { Table } from "../data/table";
import { type Context, heading } from "../layout/context";
import { fold, h } from "../layout/dom";
import { type Actions, Panel } from "./panel";

/** Height of one line of the grid, in pixels, as in src/style/panels.css. */
const LINE = 8;

export class Board {
  readonly element: HTMLElement;
  readonly panels: Panel[];
  private asked = "";
  private readonly watch: ResizeObserver | null;

  constructor(table: Table, actions: Actions, context: Context) {
    const whole = table.count(new Map());
    this.panels = table.data.columns.map(
      (_, position) => new Panel(table, position, whole.blank[position]! > 0, actions, context),
    );
    this.element = h("div", { class: "board" });
    // A panel takes as many lines of the grid as it is high, so that panels stand close below each other.
    const fit = (element: HTMLElement): void => {
      const inner = element.scrollHeight + 18;
      element.style.setProperty("--lines", String(Math.ceil(inner / LINE)));
    };
    this.watch =
      typeof ResizeObserver === "undefined"
        ? null
        : new ResizeObserver((entries) => {
            for (const entry of entries) fit(entry.target as HTMLElement);
          });
    for (const panel of this.panels) this.watch?.observe(panel.element);
    this.element.append(...this.panels.map((panel) => panel.element));
  }

  search(text: string): number {
    this.asked = fold(text.trim());
    let shown = 0;
    for (const panel of this.panels) {
      const name = panel.element.dataset["column"]!;
      const hit = fold(`${name} ${heading(name)}`).includes(this.asked);
      panel.element.hidden = !hit;
      if (hit) shown++;
    }
    return shown;
  }

  update(selection: Selection, counts: Counts, pinned: readonly string[]): void {
    const rank = (panel: Panel): number => {
      const at = pinned.indexOf(panel.element.dataset["column"]!);
      return at < 0 ? pinned.length + panel.position : at;
    };
    for (const panel of this.panels) {
      panel.update(selection, counts, pinned.includes(panel.element.dataset["column"]!));
    }
    const sorted = [...this.panels].sort((a, b) => rank(a) - rank(b)).map((panel) => panel.element);
    if (sorted.some((element, i) => this.element.children[i] !== element)) {
      const active = document.activeElement as HTMLElement | null;
      this.element.replaceChildren(...sorted);
      if (active && this.element.contains(active)) active.focus({ preventScroll: true });
    }
  }

  close(): void {
    this.watch?.disconnect();
  }
}
