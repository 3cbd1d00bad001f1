/** Figures by Observable Plot, in the page's colours and language. Its own style element is left out when building. */

import * as Plot from "@observablehq/plot";
import { figureButtons, type KeyItem } from "../export/index";
import { keyItem, keyLine, SHAPES } from "../export/key";
import type { Context } from "../layout/context";
import { h, isArabic, isolated, setText } from "../layout/dom";

export { keyItem, Plot, SHAPES };

/** A cell of a table: a text, or a number with the text that stands for it on the page. */
export type Cell = string | { readonly value: number; readonly text: string };
export type Line = readonly Cell[];

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/** Width of a figure in pixels: no wider than a card, also on a phone, where its letters would shrink with it. */
export function plotWidth(): number {
  return Math.max(280, Math.min(600, document.documentElement.clientWidth - 76));
}

/** Style of every figure: the page's colours and letters. */
export const PLOT_STYLE = { background: "transparent", color: "var(--ink)", fontSize: "13px" };

/** Names at the left of a figure, in as many lines as they need there. */
export function names(room: number): Plot.Markish {
  return Plot.axisY({ label: null, tickSize: 0, tickPadding: 8, lineWidth: (0.86 * (room - 12)) / 13 });
}

/**
 * A figure with its label, its table twin and buttons that save it, as every figure of the page has.
 *
 * key: what its colours and shapes mean, between the drawing and the table, and in the picture that is saved.
 */
export function plotFigure(label: string, drawn: Element, heads: readonly string[], lines: readonly Line[], context: Context, key: readonly KeyItem[] = []): HTMLElement {
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", label);
  // The drawing is one picture to those who do not see it: names of its parts would be read to nobody.
  for (const part of drawn.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  // Direction is the page's: axes and marks of a plot run from left to right in every language.
  drawn.setAttribute("direction", "ltr");
  for (const text of drawn.querySelectorAll("text, tspan")) if (text.childElementCount === 0) setText(text, isolated(text.textContent ?? ""));
  const cells = (): string[][] => lines.map((line) => line.map((cell) => (typeof cell === "string" ? cell : String(cell.value))));
  const file = context.isPrivate ? `PRIVATE ${label}` : label;
  return h(
    "div",
    { class: "plot", role: "figure", "aria-label": label },
    h("h3", {}, label),
    drawn,
    keyLine(key),
    h("details", {}, h("summary", {}, context.words("table.show")), scrolled(label, simpleTable(label, heads, lines))),
    figureButtons({ title: label, file, heads, svg: () => drawn as SVGSVGElement, key, cells }, context.footer, context.words),
  );
}

/** A table that may be wider than its place. */
export function scrolled(label: string, table: HTMLTableElement): HTMLElement {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}

export function simpleTable(caption: string, heads: readonly string[], lines: readonly Line[]): HTMLTableElement {
  const row = (line: Line): HTMLElement =>
    h("tr", {}, ...line.map((cell, i) => (i === 0 ? h("th", { scope: "row", dir: isArabic(textOf(cell)) ? "rtl" : "auto" }, textOf(cell)) : h("td", { class: "number" }, textOf(cell)))));
  return h(
    "table",
    { class: "twin" },
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((text, i) => h("th", { scope: "col", class: i > 0 ? "number" : null }, text)))),
    h("tbody", {}, ...lines.map(row)),
  );
}
