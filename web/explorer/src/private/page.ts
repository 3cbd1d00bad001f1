/** The first page of a private report: the release against the true rows, from report.json alone. */

import { type Context, heading } from "../layout/context";
import { h } from "../layout/dom";
import type { Payload } from "../payload";
import { partOfAttacks } from "./attacks";
import { partOfLinks } from "./links";
import { partOfTable } from "./table";

/** Raises TypeError where the data have no private part. */
export function privatePage(payload: Payload, context: Context): HTMLElement {
  const { words } = context;
  const report = payload.private!;
  const listed = (names: readonly string[]): string => names.map(heading).join(", ");
  return h(
    "div",
    { class: "prose-page private-page" },
    h("p", { class: "lead" }, words("private.intro")),
    report.left_out.length > 0 && h("p", {}, words("private.leftOut", { columns: listed(report.left_out) })),
    report.undeclared.length > 0 && h("p", {}, words("private.undeclared", { columns: listed(report.undeclared) })),
    ...report.tables.map((table) => partOfTable(table, report.frequent, context)),
    report.links && payload.links && partOfLinks(report.links, payload.links, context),
    report.attacks && partOfAttacks(report.attacks, context),
  );
}
