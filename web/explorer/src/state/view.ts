/** What the page shows, and its text in the page's address. */

import type { Column } from "../payload";

export type Page = "private" | "stories" | "explore" | "linked" | "quality" | "privacy";
export const PAGES: readonly Page[] = ["private", "stories", "explore", "linked", "quality", "privacy"];

/** Chosen values by column and value text; a blank value is "". */
export interface View {
  page: Page;
  table: string;
  chosen: ReadonlyMap<string, ReadonlySet<string>>;
  pinned: readonly string[];
  /** Choices of the linked page, by name. */
  linked: ReadonlyMap<string, string>;
  /** Language that the reader chose; "" where the browser's holds. */
  lang: string;
}

/** What a view may refer to. */
export interface Vocabulary {
  pages: readonly Page[];
  tables: readonly { name: string; columns: readonly Column[] }[];
  languages: readonly string[];
}

export function emptyView(vocabulary: Vocabulary): View {
  return {
    page: vocabulary.pages[0] ?? "explore",
    table: vocabulary.tables[0]?.name ?? "",
    chosen: new Map(),
    pinned: [],
    linked: new Map(),
    lang: "",
  };
}

// Names that the address uses for itself; a column of the same name gets a dot in front.
const OWN = new Set(["page", "t", "pin", "lang"]);
const LINKED = "linked.";

function columnKey(name: string): string {
  return OWN.has(name) || name.startsWith(".") || name.startsWith(LINKED) ? `.${name}` : name;
}

// Readable where an address may be: letters beyond ASCII stay escaped, for mail and chat break at them.
function escape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, "+")
    .replace(/%7C/g, "|")
    .replace(/%3A/g, ":")
    .replace(/%2F/g, "/")
    .replace(/%2C/g, ",");
}

function unescape(text: string): string | null {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return null;
  }
}

/** Values with '|' between them; a '|' or '\' inside one gets a '\' in front. */
function join(values: Iterable<string>): string {
  return [...values].map((value) => value.replace(/[\\|]/g, "\\$&")).join("|");
}

function split(text: string): string[] {
  const values = [""];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (letter === "|") values.push("");
    else values[values.length - 1] += letter === "\\" && i + 1 < text.length ? text[++i]! : letter;
  }
  return values;
}

/** The view as a fragment, without '#'. What is as at the start is left out. */
export function toFragment(view: View, vocabulary: Vocabulary): string {
  const start = emptyView(vocabulary);
  const parts: [string, string][] = [];
  const narrowed = view.chosen.size > 0 || view.pinned.length > 0 || view.linked.size > 0;
  const elsewhere = narrowed || view.table !== start.table;
  if (view.page !== "explore" && (view.page !== start.page || elsewhere)) parts.push(["page", view.page]);
  if (elsewhere || (view.page === "explore" && start.page !== "explore")) parts.push(["t", view.table]);
  for (const [column, values] of view.chosen) {
    if (values.size > 0) parts.push([columnKey(column), join(values)]);
  }
  if (view.pinned.length > 0) parts.push(["pin", join(view.pinned)]);
  for (const [name, value] of view.linked) parts.push([LINKED + name, value]);
  if (view.lang !== "") parts.push(["lang", view.lang]);
  return parts.map(([key, value]) => `${escape(key)}=${escape(value)}`).join("&");
}

export interface Parsed {
  view: View;
  /** How many parts named what the release does not have. */
  unknown: number;
}

/** The view that a fragment (without '#') names; parts that the release does not have are left out and counted. */
export function fromFragment(fragment: string, vocabulary: Vocabulary): Parsed {
  const view = emptyView(vocabulary);
  let unknown = 0;
  const pairs: [string, string][] = [];
  for (const part of fragment.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const key = unescape(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? null : unescape(part.slice(at + 1));
    if (key === null || value === null) unknown++;
    else pairs.push([key, value]);
  }
  const own = new Map(pairs.filter(([key]) => OWN.has(key)));
  const table = vocabulary.tables.find(({ name }) => name === own.get("t")) ?? vocabulary.tables[0];
  if (own.has("t") && own.get("t") !== table?.name) unknown++;
  const named = own.get("page");
  const known = vocabulary.pages.find((page) => page === named);
  if (named !== undefined && !known) unknown++;
  const lang = own.get("lang");
  if (lang !== undefined && !vocabulary.languages.includes(lang)) unknown++;
  else view.lang = lang ?? "";
  // An address that speaks of a table means the page that shows tables.
  const speaks = pairs.some(([key]) => key !== "lang");
  view.page = known ?? (speaks && named === undefined && vocabulary.pages.includes("explore") ? "explore" : view.page);
  if (!table) return { view, unknown };
  view.table = table.name;
  const chosen = new Map<string, Set<string>>();
  const linked = new Map<string, string>();
  for (const [key, text] of pairs) {
    if (OWN.has(key)) continue;
    if (key.startsWith(LINKED)) {
      linked.set(key.slice(LINKED.length), text);
      continue;
    }
    const name = key.startsWith(".") ? key.slice(1) : key;
    const column = table.columns.find((one) => one.name === name);
    if (!column) {
      unknown++;
      continue;
    }
    const values = split(text).filter((value) => {
      const here = value === "" || column.values.includes(value);
      if (!here) unknown++;
      return here;
    });
    if (values.length > 0) chosen.set(name, new Set([...(chosen.get(name) ?? []), ...values]));
  }
  view.chosen = chosen;
  view.linked = linked;
  if (own.has("pin")) {
    const columns = new Set(table.columns.map((column) => column.name));
    const names = split(own.get("pin")!);
    view.pinned = [...new Set(names)].filter((name) => columns.has(name));
    unknown += names.filter((name) => !columns.has(name)).length;
  }
  return { view, unknown };
}

// Changes: each gives a new view.

export function toggle(view: View, column: string, value: string): View {
  const values = new Set(view.chosen.get(column));
  if (!values.delete(value)) values.add(value);
  const chosen = new Map(view.chosen);
  if (values.size > 0) chosen.set(column, values);
  else chosen.delete(column);
  return { ...view, chosen };
}

export function clearColumn(view: View, column: string): View {
  const chosen = new Map(view.chosen);
  chosen.delete(column);
  return { ...view, chosen };
}

export function clearAll(view: View): View {
  return { ...view, chosen: new Map() };
}

export function togglePin(view: View, column: string): View {
  const pinned = view.pinned.includes(column)
    ? view.pinned.filter((name) => name !== column)
    : [...view.pinned, column];
  return { ...view, pinned };
}

export function withTable(view: View, table: string): View {
  return view.table === table ? view : { ...view, table, chosen: new Map(), pinned: [] };
}

export function withLinked(view: View, name: string, value: string): View {
  return { ...view, linked: new Map(view.linked).set(name, value) };
}
