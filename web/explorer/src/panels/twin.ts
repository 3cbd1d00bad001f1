/** The numbers of a figure as a table. */

import type { Estimate } from "../estimate";
import type { Context } from "../layout/context";
import { h } from "../layout/dom";

export interface Row {
  label: string;
  estimate: Estimate;
}

export function twin(title: string, first: string, rows: readonly Row[], context: Context): HTMLTableElement {
  const { words, number } = context;
  const heads = [words("estimate.count"), words("estimate.lower"), words("estimate.upper")];
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, first),
    ...heads.map((text) => h("th", { scope: "col", class: "number" }, text)),
    h("th", { scope: "col" }, words("estimate.source")),
  );
  const body = h("tbody");
  for (const { label, estimate } of rows) {
    const count = estimate.few ? words("estimate.few") : number(estimate.count);
    body.append(
      h(
        "tr",
        {},
        h("th", { scope: "row", dir: "auto" }, label),
        h("td", { class: "number" }, count),
        h("td", { class: "number" }, number(estimate.few ? 0 : estimate.lower)),
        h("td", { class: "number" }, number(estimate.upper)),
        h("td", {}, words(`source.${estimate.source}`)),
      ),
    );
  }
  return h("table", { class: "twin" }, h("caption", {}, words("table.caption", { title })), h("thead", {}, head), body);
}
