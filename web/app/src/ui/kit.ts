/** What all steps are put together from. */

import { h } from "../../../explorer/src/layout/dom";
import type { App, Step } from "../app";
import type { Bytes, ColumnDraft, Draft, Grid, Remark, Said } from "../contract";
import { formatNumber, formatShare, type Key, type Lang, type Words } from "../i18n/index";
import { spoken } from "../i18n/said";

export { h };

export interface Kit {
  readonly app: App;
  readonly words: Words;
  readonly lang: Lang;
  readonly number: (n: number) => string;
  readonly share: (part: number) => string;
}

export function makeKit(app: App, words: Words, lang: Lang): Kit {
  return { app, words, lang, number: (n) => formatNumber(lang, n), share: (part) => formatShare(lang, part, part > 0 && part < 0.1 ? 1 : 0) };
}

/** A number that is noisy or a mean: three digits say all that it knows. */
export function about(kit: Kit, n: number): string {
  return kit.number(n >= 100 ? Math.round(n) : Number(n.toPrecision(n >= 10 ? 3 : 2)));
}

type Child = Node | string | null | undefined | false;

/** Whether somebody is typing in a place what nothing knows yet. */
export function typing(place: Element): boolean {
  const active = document.activeElement;
  if (!active || !place.contains(active)) return false;
  return active instanceof HTMLTextAreaElement || (active instanceof HTMLInputElement && ["text", "number"].includes(active.type)) ? active.value !== active.defaultValue : false;
}

/** For a field that belongs to nothing until a button takes what is in it: it survives drawing. */
export function loose<T extends HTMLInputElement | HTMLSelectElement>(control: T): T {
  control.dataset["loose"] = "";
  return control;
}

/** Puts new content in and leaves focus, opened disclosures and loose fields as they were, by id. */
export function replace(place: Element, ...children: Child[]): void {
  const active = document.activeElement;
  const id = active && place.contains(active) ? active.id : "";
  const range = active instanceof HTMLInputElement && active.type === "text" ? [active.selectionStart, active.selectionEnd] : null;
  const open = new Set([...place.querySelectorAll("details[open][id]")].map((one) => one.id));
  const scrolled = [...place.querySelectorAll<HTMLElement>(".scroll[id]")].map((one) => [one.id, one.scrollLeft, one.scrollTop] as const);
  const filled = [...place.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-loose]")].map((one) => [one.id, one.value] as const);
  place.replaceChildren(...children.filter((child): child is Node | string => !!child));
  for (const one of place.querySelectorAll<HTMLDetailsElement>("details[id]")) if (open.has(one.id)) one.open = true;
  for (const [name, value] of filled) {
    const again = document.getElementById(name);
    if (again instanceof HTMLSelectElement && [...again.options].some((option) => option.value === value)) again.value = value;
    if (again instanceof HTMLInputElement) again.value = value;
  }
  for (const [name, left, top] of scrolled) document.getElementById(name)?.scrollTo(left, top);
  if (id === "") return;
  const again = document.getElementById(id);
  again?.focus({ preventScroll: true });
  if (range && again instanceof HTMLInputElement) again.setSelectionRange(range[0]!, range[1]!);
}

export function card(title: string | null, ...children: Child[]): HTMLElement {
  return h("section", { class: "card" }, title !== null && h("h3", {}, title), ...children);
}

/** A term explained where it stands. */
export function explain(kit: Kit, id: string, ...text: string[]): HTMLElement {
  return h("details", { class: "explain", id: `why-${id}` }, h("summary", {}, kit.words("what.is")), ...text.map((one) => h("p", {}, one)));
}

export function button(id: string, label: string, act: () => void, options: { kind?: string; disabled?: boolean } = {}): HTMLButtonElement {
  const made = h("button", { id, type: "button", class: options.kind ?? null }, label);
  made.disabled = options.disabled ?? false;
  made.addEventListener("click", act);
  return made;
}

export function field(id: string, label: string, control: HTMLElement, ...more: Child[]): HTMLElement {
  control.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), control, ...more);
}

export function text(value: string, act: (value: string) => void, options: { dir?: string } = {}): HTMLInputElement {
  const made = h("input", { type: "text", autocomplete: "off", spellcheck: "false", dir: options.dir ?? "auto" });
  made.defaultValue = value;
  made.addEventListener("change", () => {
    made.defaultValue = made.value;
    act(made.value);
  });
  return made;
}

export function lines(value: readonly string[], act: (text: string) => void): HTMLTextAreaElement {
  const made = h("textarea", { rows: String(Math.min(10, Math.max(3, value.length + 1))), dir: "auto", spellcheck: "false" });
  made.defaultValue = value.join("\n");
  made.addEventListener("change", () => {
    // As the place of the caret is kept, so is what was typed.
    made.defaultValue = made.value;
    act(made.value);
  });
  return made;
}

export function whole(value: number | null, least: number, most: number, act: (value: number | null) => void): HTMLInputElement {
  const made = h("input", { type: "number", min: String(least), max: String(most), step: "1", inputmode: "numeric" });
  made.defaultValue = value === null ? "" : String(value);
  made.addEventListener("change", () => {
    made.defaultValue = made.value;
    const n = Math.round(Number(made.value));
    act(made.value === "" ? null : Math.min(most, Math.max(least, n)));
  });
  return made;
}

export function choice<T extends string>(value: T, options: readonly (readonly [T, string])[], act: (value: T) => void): HTMLSelectElement {
  const made = h("select", {});
  for (const [code, label] of options) {
    const option = h("option", { value: code }, label);
    option.selected = code === value;
    made.append(option);
  }
  made.addEventListener("change", () => act(made.value as T));
  return made;
}

/** A group of radio buttons. */
export function radios<T extends string>(id: string, label: string, value: T, options: readonly (readonly [T, string])[], act: (value: T) => void): HTMLElement {
  const group = h("fieldset", { class: "radios" }, h("legend", {}, label));
  for (const [code, name] of options) {
    const input = h("input", { type: "radio", name: id, id: `${id}-${code}`, value: code });
    input.checked = code === value;
    input.addEventListener("change", () => act(code));
    group.append(h("label", {}, input, name));
  }
  return group;
}

/** The label follows the hand at once; `act` is told where it stops. */
export function slider(id: string, label: (value: number) => string, value: number, least: number, most: number, act: (value: number) => void): HTMLElement {
  const shown = h("label", { for: id }, label(value));
  const made = h("input", { type: "range", id, min: String(least), max: String(most), step: "1" });
  made.value = String(value);
  const say = (): void => {
    shown.textContent = label(Number(made.value));
    made.setAttribute("aria-valuetext", label(Number(made.value)));
  };
  say();
  made.addEventListener("input", say);
  made.addEventListener("change", () => act(Number(made.value)));
  return h("div", { class: "field slider" }, shown, made);
}

/** Asks for files; gives them with their bytes. */
export function chooser(id: string, label: string, accept: string, multiple: boolean, act: (files: Bytes[]) => void, kind = "button"): HTMLElement {
  const input = h("input", { type: "file", id, accept, class: "hidden", multiple });
  input.addEventListener("change", () => {
    void taken(input.files).then((files) => {
      input.value = "";
      if (files.length > 0) act(files);
    });
  });
  return h("span", { class: "chooser" }, input, h("label", { for: id, class: kind }, label));
}

export async function taken(files: FileList | null | undefined): Promise<Bytes[]> {
  return Promise.all([...(files ?? [])].map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
}

export function grid(kit: Kit, id: string, caption: string, data: Grid, most = 20): HTMLElement {
  return h(
    "div",
    { class: "scroll grid", id, tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...data.columns.map((name) => h("th", { scope: "col", dir: "auto" }, name)))),
      h("tbody", {}, ...data.rows.slice(0, most).map((row) => h("tr", {}, ...row.map((cell) => h("td", { dir: "auto" }, cell || kit.words("none") === cell ? cell : "·"))))),
    ),
  );
}

export function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[], numbers = 1): HTMLElement {
  const kind = (i: number): string | null => (i >= numbers ? "number" : null);
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, ...head.map((name, i) => h("th", { scope: "col", class: kind(i) }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row", dir: "auto" }, cell) : h("td", { class: kind(i) }, h("bdi", {}, cell))))))),
    ),
  );
}

const ORDER: Remark["level"][] = ["stop", "private", "price", "note"];

export function remarks(kit: Kit, list: readonly Remark[]): HTMLElement {
  const sorted = [...list].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
  return h(
    "ul",
    { class: "remarks" },
    ...sorted.map(({ level, table: where, column, message, said }) =>
      h(
        "li",
        { class: level },
        h("strong", { class: "level" }, kit.words(`remark.${level}`)),
        column !== "" && h("bdi", { class: "where" }, kit.app.draft && kit.app.draft.tables.length > 1 ? `${where}.${column}` : column),
        told(kit, "span", said, message),
      ),
    ),
  );
}

/** What the engine says, in the page's language; its English where that is an error or unknown to this page. */
export function told(kit: Kit, tag: "span" | "p" | "li", said: Said | null | undefined, english: string, kind: string | null = null): HTMLElement {
  const words = said && spoken(kit.words, kit.lang, said);
  return words ? h(tag, { class: kind }, words) : h(tag, { dir: "auto", lang: "en", class: kind }, english);
}

/** That a column is set aside, and why. */
export function aside(kit: Kit, column: ColumnDraft): string {
  if (column.reason === "") return kit.words("prepare.setAsideYou");
  return kit.words("prepare.setAside", { reason: (column.why && spoken(kit.words, kit.lang, column.why)) || column.reason });
}

/** The engine's own words. */
export function sentence(words: string, tag: "p" | "li" = "p", kind: string | null = null): HTMLElement {
  return h(tag, { dir: "auto", lang: "en", class: kind }, words);
}

export function next(kit: Kit, step: Step): HTMLElement {
  const name = kit.words(`step.${step}` as Key);
  return h("p", { class: "next" }, button("next", kit.words("nav.next", { step: name }), () => kit.app.go(step), { kind: "primary" }));
}

export function privateBand(kit: Kit, ...children: Child[]): HTMLElement {
  return h("section", { class: "private-band", "aria-label": kit.words("private.band") }, h("p", { class: "private-words" }, kit.words("private.band")), ...children);
}

/** A change of the draft as it is then, not as it was drawn. */
export function edit(kit: Kit, change: (draft: Draft) => Draft | null): void {
  if (kit.app.draft) kit.app.change(change(kit.app.draft));
}

/** Asks before something that cannot be taken back. */
export function confirm(kit: Kit, question: string, yes: string, act: () => void): void {
  const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-question" });
  const finish = (go: boolean): void => {
    dialog.close();
    dialog.remove();
    if (go) act();
  };
  dialog.append(
    h("p", { id: "confirm-question" }, question),
    h("div", { class: "row" }, button("confirm-no", kit.words("make.no"), () => finish(false)), button("confirm-yes", yes, () => finish(true), { kind: "primary" })),
  );
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    finish(false);
  });
  document.body.append(dialog);
  dialog.showModal();
}
