/** Starts the page: reads its data, and says so in words where that cannot be done. */

import "./style/base.css";
import "./style/layout.css";
import "./style/panels.css";
import "./style/pages.css";
import { App } from "./layout/app";
import { Table } from "./data/table";
import { direction, makeWords, pick } from "./i18n/index";
import { h } from "./layout/dom";
import { type Payload, readPayload } from "./payload";

async function start(): Promise<void> {
  const place = document.getElementById("page")!;
  const lang = pick(navigator.languages);
  const words = makeWords(lang);
  document.documentElement.lang = lang;
  document.documentElement.dir = direction(lang);
  const say = (text: string): void => place.replaceChildren(h("main", { class: "message" }, h("p", { role: "alert" }, text)));
  if (typeof DecompressionStream === "undefined") {
    say(words("notice.old"));
    return;
  }
  place.replaceChildren(h("main", { class: "message" }, h("p", { role: "status" }, words("notice.loading"))));
  let payload: Payload;
  let tables: Table[];
  try {
    payload = readPayload(document);
    tables = await Promise.all(payload.tables.map((table) => Table.read(table, payload.statement.length)));
  } catch {
    say(words("notice.damaged"));
    return;
  }
  new App(payload, tables, place).start();
}

void start();
