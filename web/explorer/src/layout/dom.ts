/** Elements in few words. Text goes in as text, never as markup. */

type Child = Node | string | null | undefined | false;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | null | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  set(made, attributes);
  for (const child of children) if (child) made.append(child);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number> = {},
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

function set(made: Element, attributes: Record<string, string | boolean | null | undefined>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (typeof value === "string") made.setAttribute(name, value);
  }
}

/** Text only where it changed: writing the same text again costs a layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

const ARABIC = /\p{Script=Arabic}/u;

/** Whether a text has Arabic letters. Such a sentence may still begin with a number, or a name from the data. */
export function isArabic(text: string): boolean {
  return ARABIC.test(text);
}

/** A text for a place whose own direction is from left to right: an Arabic one keeps its own (U+2067 to U+2069). */
export function isolated(text: string): string {
  return isArabic(text) ? `\u2067${text}\u2069` : text;
}

/** Text without accents and case, for search. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Arrow keys, Home and End move between the marks of a group, of which one is in the order of Tab. */
export function roving(group: HTMLElement, marks: () => HTMLElement[], across = false): void {
  const focus = (to: HTMLElement | undefined): void => {
    if (!to) return;
    for (const mark of marks()) mark.tabIndex = mark === to ? 0 : -1;
    to.focus();
  };
  group.addEventListener("keydown", (event) => {
    const list = marks();
    const at = list.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const left = getComputedStyle(group).direction === "rtl" ? 1 : -1;
    const step =
      { ArrowUp: -1, ArrowDown: 1, ...(across ? { ArrowLeft: left, ArrowRight: -left } : {}) }[event.key] ?? 0;
    const to = step !== 0 ? list[at + step] : event.key === "Home" ? list[0] : event.key === "End" ? list.at(-1) : null;
    if (to === null) return;
    event.preventDefault();
    focus(to);
  });
  group.addEventListener("focusin", (event) => {
    const list = marks();
    const here = event.target as HTMLElement;
    if (list.includes(here)) for (const mark of list) mark.tabIndex = mark === here ? 0 : -1;
  });
}
