/** Starts the application: where the engine is, which language, and what is kept. */

import "../../explorer/src/style/base.css";
import "./style/frame.css";
import "./style/steps.css";
import { App } from "./app";
import { BrowserEngine } from "./engine/browser";
import type { Engine, Listener } from "./engine/engine";
import { NativeEngine } from "./engine/native";
import { Frame } from "./frame";
import { makeWords, pick, type Words } from "./i18n/index";
import { Ledgers } from "./keep/ledgers";

const TOKEN = "caseveil-token";

/** The secret of `caseveil app --native`, out of the address at once; kept for a reload of this tab only. */
function token(): string | null {
  const found = /[#&]token=([^&]+)/.exec(location.hash)?.[1];
  if (found) {
    sessionStorage.setItem(TOKEN, found);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return found ?? sessionStorage.getItem(TOKEN);
}

function start(): void {
  const site = new URL("./", location.href.split("#")[0]).href;
  let words: Words = makeWords(pick(navigator.languages));
  let app: App | null = null;
  const listener: Listener = {
    loading(stage) {
      if (!app) return;
      app.loading = stage;
      app.tell();
    },
    charged: (ledger) => app?.charged(ledger),
  };
  const secret = token();
  const engine: Engine =
    secret !== null
      ? new NativeEngine(site, secret, listener, { gone: () => words("engine.gone") })
      : new BrowserEngine(site, listener, { broken: () => words("engine.broken"), cancelled: () => words("engine.cancelled") });
  app = new App(engine, new Ledgers(), (key) => words(key));
  new Frame(app, pick(navigator.languages), document.getElementById("page")!, (lang) => {
    words = makeWords(lang);
  });
  // A file dropped beside its place must not replace the page.
  for (const event of ["dragover", "drop"]) window.addEventListener(event, (dropped) => dropped.preventDefault());
  window.addEventListener("beforeunload", (event) => {
    if (app?.unsaved) event.preventDefault();
  });
  const begun = app.begin();
  // Once the engine is there, so that keeping files for later does not slow its start. Behind the native engine the site
  // is always there.
  if (secret === null && "serviceWorker" in navigator) void begun.then(() => navigator.serviceWorker.register(new URL("sw.js", site), { scope: "./" })).catch(() => undefined);
}

start();
