/** What every linked figure has around its drawing: title, help, a line that tells the mark, table and buttons. */

import "./linked.css";
import type { Estimate } from "../estimate";
import { type Figure, figureButtons, type FigureRow, type KeyItem } from "../export/index";
import { keyLine } from "../export/key";
import type { Context } from "../layout/context";
import { h, s } from "../layout/dom";
import { spoken } from "../panels/mark";

/** A part of a drawing that stands for one number. */
export interface Mark {
  element: SVGGElement;
  /** Where the arrow keys find it: lines from above, places in a line from the start of reading. */
  row: number;
  column: number;
}

export interface Pick {
  /** Chosen already. */
  chosen: boolean;
  act: () => void;
}

/** A group of shapes as a mark, told in one sentence to those who hear it, point at it or reach it by keys. */
export function mark(
  context: Context,
  place: { row: number; column: number },
  name: string,
  estimate: Estimate,
  pick: Pick | null,
  ...shapes: Node[]
): Mark {
  const text = spoken(name, estimate, context);
  const title = s("title");
  title.textContent = text;
  const element = s(
    "g",
    { class: `linked-mark${estimate.few ? " few" : ""}`, tabindex: -1, role: pick ? "button" : "img", "aria-label": text },
    title,
    ...shapes,
  );
  if (pick) {
    element.setAttribute("aria-pressed", String(pick.chosen));
    element.addEventListener("click", pick.act);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick.act();
    });
  }
  return { element, ...place };
}

/** Arrow keys move among the marks, Home and End to the first and last of a line; one mark is in the order of Tab. */
function rove(around: HTMLElement, marks: readonly Mark[], right: boolean): void {
  const reachable = (here: Mark): void => {
    for (const one of marks) one.element.setAttribute("tabindex", one === here ? "0" : "-1");
  };
  if (marks[0]) reachable(marks[0]);
  const nearest = (from: Mark, fits: (to: Mark) => boolean, far: (to: Mark) => number): Mark | undefined =>
    marks.filter((to) => to !== from && fits(to)).sort((a, b) => far(a) - far(b))[0];
  const line = (row: number): Mark[] => marks.filter((to) => to.row === row).sort((a, b) => a.column - b.column);
  const step = (from: Mark, key: string): Mark | undefined => {
    const across = (sign: number): Mark | undefined =>
      nearest(
        from,
        (to) => to.row === from.row && sign * (to.column - from.column) > 0,
        (to) => sign * (to.column - from.column),
      );
    const down = (sign: number): Mark | undefined =>
      nearest(
        from,
        (to) => sign * (to.row - from.row) > 0,
        (to) => 1000 * sign * (to.row - from.row) + Math.abs(to.column - from.column),
      );
    if (key === "ArrowUp") return down(-1);
    if (key === "ArrowDown") return down(1);
    if (key === "ArrowLeft") return across(right ? 1 : -1);
    if (key === "ArrowRight") return across(right ? -1 : 1);
    if (key === "Home") return line(from.row)[0];
    if (key === "End") return line(from.row).at(-1);
    return undefined;
  };
  around.addEventListener("keydown", (event) => {
    const from = marks.find((one) => one.element === event.target);
    const to = from && step(from, event.key);
    if (!to) return;
    event.preventDefault();
    reachable(to);
    to.element.focus();
  });
  around.addEventListener("focusin", (event) => {
    const here = marks.find((one) => one.element === event.target);
    if (here) reachable(here);
  });
}

/** The rows of a figure as a table. */
export function asTable(title: string, heads: readonly string[], rows: readonly FigureRow[], context: Context): HTMLTableElement {
  const { words, number } = context;
  const numbers = [words("estimate.count"), words("estimate.lower"), words("estimate.upper")];
  const body = h("tbody");
  for (const { labels, estimate } of rows) {
    body.append(
      h(
        "tr",
        {},
        ...labels.map((text, i) => h(i === 0 ? "th" : "td", { dir: "auto", ...(i === 0 ? { scope: "row" } : {}) }, text)),
        h("td", { class: "number" }, estimate.few ? words("estimate.few") : number(estimate.count)),
        h("td", { class: "number" }, number(estimate.few ? 0 : estimate.lower)),
        h("td", { class: "number" }, number(estimate.upper)),
        h("td", {}, words(`source.${estimate.source}`)),
      ),
    );
  }
  const head = h(
    "tr",
    {},
    ...heads.map((text) => h("th", { scope: "col" }, text)),
    ...numbers.map((text) => h("th", { scope: "col", class: "number" }, text)),
    h("th", { scope: "col" }, words("estimate.source")),
  );
  return h("table", { class: "twin" }, h("caption", {}, words("table.caption", { title })), h("thead", {}, head), body);
}

export interface Frame {
  title: string;
  help: string;
  svg: SVGSVGElement;
  marks: readonly Mark[];
  heads: readonly string[];
  rows: readonly FigureRow[];
  /** Sentences below the drawing. */
  notes?: readonly string[];
  /** What shapes and colours mean. */
  key: readonly KeyItem[];
}

export function frame({ title, help, svg, marks, heads, rows, notes = [], key }: Frame, context: Context): HTMLElement {
  const { words } = context;
  const figure: Figure = { title, subject: context.subject, heads, svg: () => svg, rows: () => rows, key };
  const picks = marks.some(({ element }) => element.getAttribute("role") === "button");
  const line = h("p", { class: "linked-line", "aria-hidden": "true" }, picks && words("linked.keys"));
  const tell = (event: Event): void => {
    const element = (event.target as Element).closest?.(".linked-mark");
    if (element) line.textContent = element.getAttribute("aria-label");
  };
  // Not on the drawing itself: some browsers let Tab stop at a drawing that listens for focus.
  const around = h("div", { class: "linked-scroll" });
  around.append(svg);
  around.addEventListener("pointerover", tell);
  around.addEventListener("focusin", tell);
  rove(around, marks, context.dir === "rtl");
  return h(
    "figure",
    { class: "linked-figure", "aria-label": title },
    h("h3", {}, title),
    h("p", { class: "linked-help" }, help),
    around,
    keyLine(key),
    line,
    ...notes.map((text) => h("p", { class: "linked-note" }, text)),
    h("details", {}, h("summary", {}, words("table.show")), h("div", { class: "linked-scroll", tabindex: "0", role: "region", "aria-label": words("table.caption", { title }) }, asTable(title, heads, rows, context))),
    figureButtons(figure, context.footer, words),
  );
}

/** What stands in place of a figure that has nothing to draw. */
export function nothing(title: string, context: Context): HTMLElement {
  return h(
    "figure",
    { class: "linked-figure", "aria-label": title },
    h("h3", {}, title),
    h("p", { class: "linked-help" }, context.words("linked.none")),
  );
}
