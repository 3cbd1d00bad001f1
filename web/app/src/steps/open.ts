/** Open: a file, two that are linked, or the invented example. Also a ledger of an earlier visit, and a plan. */

import type { Bytes, TableDraft } from "../contract";
import { changeLinks, joinTables, separateTables } from "../draft/change";
import { save } from "../keep/save";
import { button, card, choice, chooser, confirm, edit, explain, field, grid, h, type Kit, next, radios, remarks, taken, whole } from "../ui/kit";

const FILES = ".csv,.tsv,.txt,.xlsx";

export function openStep(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const parts: HTMLElement[] = [h("p", { class: "lead" }, words("open.lead"))];
  if (!app.opened) parts.push(...choose(kit));
  if (app.keptBefore.length > 0) parts.push(keptLedgers(kit));
  if (app.opened && app.draft) parts.push(...opened(kit));
  return parts;
}

function open(kit: Kit, source: { files: Bytes[] } | { example: boolean }): void {
  const { app, words } = kit;
  const go = (): void => void app.open(source);
  if (app.opened) confirm(kit, words("open.replace"), words("open.other"), go);
  else go();
}

function dropZone(kit: Kit): HTMLElement {
  const zone = h(
    "div",
    { class: "drop" },
    h("p", { class: "drop-words" }, kit.words("open.drop")),
    chooser("files", kit.words("open.choose"), FILES, true, (files) => open(kit, { files })),
  );
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    void taken(event.dataTransfer?.files).then((files) => {
      if (files.length > 0) open(kit, { files });
    });
  });
  return zone;
}

function examples(kit: Kit): HTMLElement {
  const { words } = kit;
  return h(
    "div",
    { class: "row" },
    button("example-one", words("open.exampleOne"), () => open(kit, { example: false })),
    button("example-two", words("open.exampleTwo"), () => open(kit, { example: true })),
  );
}

function choose(kit: Kit): HTMLElement[] {
  const { words } = kit;
  return [dropZone(kit), card(words("open.example"), h("p", { class: "quiet" }, words("open.exampleWhy")), examples(kit), h("p", { class: "quiet" }, words("open.planHint")))];
}

export function keptLedgers(kit: Kit): HTMLElement {
  const { app, words, lang } = kit;
  const date = new Intl.DateTimeFormat(lang === "ar" ? "ar-u-nu-latn" : lang, { dateStyle: "medium", timeStyle: "short" });
  const items = app.keptBefore.map((kept, i) =>
    h(
      "li",
      {},
      h("span", {}, words("ledger.from", { name: kept.name, date: date.format(kept.at) }), !kept.saved && h("strong", { class: "warn" }, ` · ${words("ledger.unsaved")}`)),
      h(
        "span",
        { class: "row" },
        app.draft && button(`kept-use-${i}`, words("ledger.use"), () => void app.openLedger({ name: kept.name, bytes: kept.bytes }, kept.id)),
        button(`kept-save-${i}`, words("ledger.saveIt"), () => {
          save(kept.bytes, kept.name);
          void app.keptSaved(kept);
        }),
        button(`kept-forget-${i}`, words("ledger.forget"), () => confirm(kit, words("ledger.forgetSure"), words("ledger.forget"), () => void app.forget(kept.id)), { kind: "plain" }),
      ),
    ),
  );
  return card(words("ledger.kept"), h("p", { class: "quiet" }, words("ledger.keptWhy")), h("ul", { class: "kept" }, ...items));
}

function opened(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const parts = app.opened!.tables.map((table) =>
    card(
      table.name,
      h("p", { class: "quiet" }, h("bdi", {}, table.source), ` · ${words("rows", { n: table.rows })}`),
      grid(kit, `preview-${table.name}`, `${words("open.preview", { table: table.name })} · ${words("open.private")}`, table.preview, 6),
    ),
  );
  if (app.opened!.draft.tables.length === 2) parts.push(together(kit));
  if (app.opened!.remarks.length > 0) parts.push(card(words("open.found"), remarks(kit, app.opened!.remarks)));
  const [first] = app.files;
  parts.push(
    h(
      "details",
      { class: "card", id: "other" },
      h("summary", {}, words("open.other")),
      dropZone(kit),
      h("div", { class: "row" }, app.files.length === 1 && first && chooser("second", words("open.second"), FILES, false, ([file]) => open(kit, { files: [first, file!] }))),
      examples(kit),
    ),
    card(
      words("open.plan"),
      h("p", { class: "quiet" }, words("open.planWhy")),
      chooser("plan", words("open.plan"), ".toml", false, ([file]) => void app.openPlan(new TextDecoder().decode(file!.bytes))),
    ),
    next(kit, "prepare"),
  );
  return parts;
}

/** Two files: the second linked, as a table of its own, or joined. */
function together(kit: Kit): HTMLElement {
  const { app, words } = kit;
  const opened = app.opened!.draft;
  const [people, linked] = app.draft!.tables;
  const [first, second] = opened.tables.map((table) => table.name);
  const how = (now: string): void => edit(kit, (draft) => (now === "joined" ? joinTables(draft) : separateTables(draft, opened)));
  return card(
    words("open.links"),
    radios("together", words("open.how", { table: second!, people: first! }), linked ? "linked" : "joined", [["linked", words("open.linked", { table: second! })], ["joined", words("open.joined", { table: second! })]] as const, how),
    linked ? links(kit, people!, linked) : h("p", { class: "quiet" }, words("open.joinedWhy")),
  );
}

function links(kit: Kit, people: TableDraft, linked: TableDraft): HTMLElement {
  const { words } = kit;
  const keys = [...linked.columns.map((column) => column.from), ...(linked.links ? [linked.links.key] : [])];
  const options = [...new Set(keys)].map((key) => [key, key] as const);
  const now = linked.links ?? { to: people.name, key: options[0]?.[0] ?? "", at_most: 1 };
  return h(
    "div",
    {},
    explain(kit, "links", words("open.linksWhy"), words("open.atMostWhy")),
    h(
      "div",
      { class: "fields" },
      people.key !== null && field("key-people", words("open.keyHere", { table: people.name }), choice(people.key, [[people.key, people.key]], () => undefined)),
      field("key-linked", words("open.keyHere", { table: linked.name }), choice(now.key, options, (key) => edit(kit, (draft) => changeLinks(draft, linked.name, key, people.name, now.at_most)))),
      field("at-most", words("open.atMost", { table: linked.name }), whole(now.at_most, 1, 50, (n) => edit(kit, (draft) => changeLinks(draft, linked.name, now.key, people.name, n ?? 1)))),
    ),
  );
}
