/** Figures by Observable Plot, in the page's colours and language. Its own style element is left out when building. */

import * as Plot from "@observablehq/plot";
import type { Context } from "../layout/context";
import { h } from "../layout/dom";

export { Plot };

/** A figure with its label and its table twin, as every figure of the page has. */
export function plotFigure(label: string, drawn: Element, table: HTMLTableElement, context: Context): HTMLElement {
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", label);
  // The drawing is one picture to those who do not see it: names of its parts would be read to nobody.
  for (const part of drawn.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  // Direction is the page's: axes and marks of a plot run from left to right in every language.
  drawn.setAttribute("direction", "ltr");
  return h(
    "div",
    { class: "plot", role: "figure", "aria-label": label },
    h("h3", {}, label),
    drawn,
    h("details", {}, h("summary", {}, context.words("table.show")), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table)),
  );
}

export function simpleTable(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  return h(
    "table",
    { class: "twin" },
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((text, i) => h("th", { scope: "col", class: i > 0 ? "number" : null }, text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((text, i) => (i === 0 ? h("th", { scope: "row", dir: "auto" }, text) : h("td", { class: "number" }, text)))))),
  );
}
