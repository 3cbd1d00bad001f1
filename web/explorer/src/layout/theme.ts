/** Light, dark, or as the device says. Not kept: the page stores nothing on the reader's device. */

import type { Context } from "./context";
import { h } from "./dom";

const THEMES = ["auto", "light", "dark"] as const;

export function themeButton(context: Context): HTMLElement {
  const { words } = context;
  const select = h("select", { "aria-label": words("nav.theme"), class: "theme" });
  const now = document.documentElement.dataset["theme"] ?? "auto";
  for (const theme of THEMES) {
    const option = h("option", { value: theme }, words(`theme.${theme}`));
    option.selected = theme === now;
    select.append(option);
  }
  select.addEventListener("change", () => {
    document.documentElement.dataset["theme"] = select.value;
  });
  return select;
}
