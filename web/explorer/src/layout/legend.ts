/** How to read the marks: where numbers come from, intervals, and too few to tell. */

import { formatShare } from "../i18n/index";
import type { Context } from "./context";
import { h } from "./dom";

const NARROW = "(max-width: 40rem)";

export function legend(level: number, context: Context): HTMLElement {
  const { words } = context;
  const sample = (kind: string): HTMLElement =>
    h("span", { class: `sample ${kind}`, "aria-hidden": "true" }, h("span", { class: "track" }, h("span", { class: "bar" }), h("span", { class: "whisker" })));
  const item = (kind: string, name: string, text: string): HTMLElement =>
    h("li", {}, sample(kind), h("span", {}, name !== "" && h("strong", {}, name), name !== "" && ": ", text));
  const share = formatShare(context.lang, level, 1);
  return h(
    "details",
    { class: "legend", open: !matchMedia(NARROW).matches },
    h("summary", {}, words("legend.title")),
    h(
      "ul",
      {},
      item("published", words("source.published"), words("legend.published")),
      item("records", `≈ ${words("source.records")}`, words("legend.records")),
      item("interval", "", words("legend.interval", { level: share })),
      item("few", words("estimate.few"), words("legend.few")),
    ),
    h("p", { class: "quiet" }, words("explore.several")),
  );
}
