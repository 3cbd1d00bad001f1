/** The line on every page of a private report, on screen and on paper, that nobody can take for the public explorer. */

import "./private.css";
import type { Context } from "../layout/context";
import { h } from "../layout/dom";

export function banner(context: Context): HTMLElement {
  const made = h("aside", { class: "private-banner", "aria-label": context.words("page.private") }, h("strong", {}, context.words("private.warning")));
  // It stays in sight, and what else stays in sight (the selection) stays below it, in as many lines as it takes.
  new ResizeObserver(() => document.documentElement.style.setProperty("--above", `${made.offsetHeight}px`)).observe(made);
  document.documentElement.classList.add("private");
  return made;
}
