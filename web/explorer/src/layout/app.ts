/** The page as a whole: head, pages, foot; built anew when the language changes. */

import type { Table } from "../data/table";
import { type Lang, languages, pick } from "../i18n/index";
import { ExplorePage } from "../pages/explore";
import { linkedPage } from "../pages/linked";
import { privacyPage } from "../pages/privacy";
import { banner } from "../private/banner";
import { privatePage } from "../private/page";
import { qualityPage } from "../pages/quality";
import { storiesPage } from "../pages/stories";
import type { Payload } from "../payload";
import { Store } from "../state/store";
import { type Page, PAGES, type View, type Vocabulary } from "../state/view";
import { type Context, makeContext } from "./context";
import { h, setText } from "./dom";
import { themeButton } from "./theme";

function has(payload: Payload, page: Page): boolean {
  if (page === "stories") return payload.stories.length > 0;
  if (page === "linked") return payload.links !== undefined;
  return page !== "private" || payload.private !== undefined;
}

interface Shown {
  element: HTMLElement;
  update?: (view: View) => void;
}

export class App {
  private readonly vocabulary: Vocabulary;
  private readonly store: Store;
  private context: Context;
  private main = h("main", { id: "content", tabindex: "-1" });
  private title = h("h2", { class: "page-title", tabindex: "-1" });
  private notice = h("p", { class: "notice", role: "alert", hidden: true });
  private links = new Map<Page, HTMLAnchorElement>();
  private pages = new Map<Page, Shown>();

  constructor(
    private readonly payload: Payload,
    private readonly tables: readonly Table[],
    private readonly place: HTMLElement,
  ) {
    this.vocabulary = {
      pages: PAGES.filter((page) => has(payload, page)),
      tables: payload.tables,
      languages: languages.map(({ code }) => code),
    };
    this.store = new Store(this.vocabulary, window);
    this.context = this.makeContext(this.store.view);
    this.store.onChange((view, before) => {
      if (this.language(view) !== this.context.lang) this.build();
      this.show(view, view.page !== before.page);
    });
  }

  start(): void {
    this.build();
    this.show(this.store.view, false);
  }

  private language(view: View): Lang {
    const wanted = view.lang !== "" ? [view.lang] : [...navigator.languages, this.payload.language ?? ""];
    return pick(wanted.filter((lang) => lang !== ""));
  }

  private makeContext(view: View): Context {
    const { title, version, statement } = this.payload;
    return makeContext(this.language(view), `${title} (${version})\n${statement.sentence}`, this.payload.private !== undefined, statement.level);
  }

  private build(): void {
    this.context = this.makeContext(this.store.view);
    const { words, lang, dir } = this.context;
    document.documentElement.lang = lang;
    document.documentElement.dir = dir;
    this.pages.clear();
    const skip = h("a", { class: "skip", href: "#content" }, words("nav.skip"));
    skip.addEventListener("click", (event) => {
      // The address is the view's: it must not change.
      event.preventDefault();
      this.main.focus();
    });
    this.main = h("main", { id: "content", tabindex: "-1" });
    const parts = [this.head(), this.main, this.foot()];
    this.place.replaceChildren(skip, ...(this.context.isPrivate ? [banner(this.context), ...parts] : parts));
  }

  private head(): HTMLElement {
    const { words } = this.context;
    const { title, version, publisher } = this.payload;
    const language = h("select", { "aria-label": words("nav.language") });
    for (const { code, name } of languages) {
      const option = h("option", { value: code, lang: code }, name);
      option.selected = code === this.context.lang;
      language.append(option);
    }
    language.addEventListener("change", () => {
      this.store.set({ ...this.store.view, lang: language.value });
      this.place.querySelector<HTMLElement>(".tools select")?.focus();
    });
    this.links = new Map(
      this.vocabulary.pages.map((page) => {
        const link = h("a", {}, words(`page.${page}`));
        link.addEventListener("click", (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          this.store.set({ ...this.store.view, page });
        });
        return [page, link];
      }),
    );
    const facts = [words("head.version", { version }), publisher !== "" ? words("head.publisher", { publisher }) : ""];
    return h(
      "header",
      { class: "head" },
      h(
        "div",
        { class: "head-line" },
        h("div", {}, h("h1", { dir: "auto" }, title), h("p", { class: "quiet" }, facts.filter((fact) => fact !== "").join(" · "))),
        h("div", { class: "tools" }, language, themeButton(this.context)),
      ),
      !this.context.isPrivate && h("p", { class: "synthetic" }, words("head.synthetic")),
      h("nav", { "aria-label": words("nav.pages") }, ...this.links.values()),
    );
  }

  private foot(): HTMLElement {
    const { words } = this.context;
    const { statement, citation, license } = this.payload;
    return h(
      "footer",
      { class: "foot" },
      h("p", { dir: "auto", lang: "en" }, statement.sentence),
      citation !== "" && !this.context.isPrivate && h("p", { class: "quiet", dir: "auto" }, `${words("head.cite")}: ${citation}`),
      license !== "" && h("p", { class: "quiet" }, words("head.license", { license })),
      h("p", { class: "quiet" }, words("notice.offline")),
    );
  }

  private show(view: View, moved: boolean): void {
    let shown = this.pages.get(view.page);
    if (!shown) this.pages.set(view.page, (shown = this.make(view.page)));
    const { words } = this.context;
    const { unknown } = this.store;
    setText(this.title, this.titleOf(view.page));
    setText(this.notice, unknown > 0 ? words("notice.unknown", { n: unknown }) : "");
    this.notice.hidden = unknown === 0;
    this.main.classList.toggle("on-explore", view.page === "explore");
    if (this.main.lastElementChild !== shown.element) this.main.replaceChildren(this.notice, this.title, shown.element);
    shown.update?.(view);
    for (const [page, link] of this.links) {
      if (page === view.page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.href = this.store.address({ ...view, page });
    }
    if (moved) {
      window.scrollTo(0, 0);
      this.title.focus({ preventScroll: true });
    }
  }

  private titleOf(page: Page): string {
    const { words } = this.context;
    if (page === "quality" || page === "privacy" || page === "stories") return words(`${page}.title`);
    return words(`page.${page}`);
  }

  private make(page: Page): Shown {
    const { payload, tables, store, context } = this;
    switch (page) {
      case "private":
        return { element: privatePage(payload, context) };
      case "explore":
        return this.explore();
      case "stories":
        return { element: storiesPage(payload.stories, tables, this.vocabulary, store, context) };
      case "linked":
        return linkedPage(payload, tables, store, context);
      case "quality":
        return { element: qualityPage(payload, context) };
      case "privacy":
        return { element: privacyPage(payload.statement, context) };
    }
  }

  private explore(): Shown {
    const page = new ExplorePage(this.tables, this.store, this.payload.statement.level, this.context);
    return { element: page.element, update: (view) => page.update(view) };
  }
}
