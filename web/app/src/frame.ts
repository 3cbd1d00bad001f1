/** The page around the steps: head, rail, what runs, what went wrong. */

import { type App, STEPS, type Step } from "./app";
import { direction, type Lang, languages, type Key, makeWords } from "./i18n/index";
import { exploreStep } from "./steps/explore";
import { makeStep, progressLine } from "./steps/make";
import { openStep } from "./steps/open";
import { prepareStep } from "./steps/prepare";
import { promiseStep } from "./steps/promise";
import { publishStep } from "./steps/publish";
import { riskStep } from "./steps/risk";
import { button, h, type Kit, makeKit, replace, typing } from "./ui/kit";

const VIEWS: Record<Step, (kit: Kit) => HTMLElement[]> = {
  open: openStep,
  prepare: prepareStep,
  risk: riskStep,
  promise: promiseStep,
  make: makeStep,
  explore: exploreStep,
  publish: publishStep,
};

export class Frame {
  private kit: Kit;
  private readonly head = h("header", { class: "head" });
  private readonly rail = h("nav", { class: "rail" });
  private readonly notices = h("div", { class: "notices" });
  private readonly title = h("h2", { class: "page-title", tabindex: "-1" });
  private readonly body = h("div", { class: "step" });
  private readonly foot = h("footer", { class: "foot" });
  private step: Step | null = null;
  private drawn = false;
  /** Whether the step is to be drawn as soon as nobody types in it. */
  private waits = false;
  /** Set while something is pressed: what is drawn anew between the press and the release of a finger would not be clicked. */
  private forget: (() => void) | null = null;

  constructor(
    private readonly app: App,
    private lang: Lang,
    place: HTMLElement,
    private readonly speak: (lang: Lang) => void,
  ) {
    this.kit = makeKit(app, makeWords(lang), lang);
    const main = h("main", { id: "content", tabindex: "-1" }, this.notices, this.title, this.body);
    const skip = h("a", { class: "skip", href: "#content" });
    skip.addEventListener("click", (event) => {
      event.preventDefault();
      main.focus();
    });
    place.replaceChildren(skip, this.head, h("div", { class: "frame" }, this.rail, main), this.foot);
    app.onChange(() => this.soon());
    window.addEventListener("pointerdown", ({ target }) => this.press(target), { capture: true });
    document.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("focusout", () => {
      if (this.waits) this.soon();
    });
    this.setLanguage(lang);
  }

  private setLanguage(lang: Lang): void {
    this.lang = lang;
    this.kit = makeKit(this.app, makeWords(lang), lang);
    this.speak(lang);
    document.documentElement.lang = lang;
    document.documentElement.dir = direction(lang);
    document.querySelector(".skip")!.textContent = this.kit.words("nav.skip");
    this.soon();
  }

  /** One drawing for all that changed in one go. */
  private soon(): void {
    if (this.drawn) return;
    this.drawn = true;
    if (!this.forget) queueMicrotask(() => this.drawNow());
  }

  private drawNow(): void {
    if (!this.drawn) return;
    this.drawn = false;
    this.draw();
  }

  /** Holds the drawing until the press is over, however slow the hand or the machine. */
  private press(target: EventTarget | null): void {
    this.forget?.();
    const onChoices = target instanceof Element && target.closest("select") !== null;
    const over = (): void => {
      this.forget?.();
      this.drawNow();
    };
    let timer = setTimeout(over, onChoices ? 800 : 10_000);
    const soon = (wait = 0): void => {
      clearTimeout(timer);
      timer = setTimeout(over, wait);
    };
    // A click on a button is done then; on others the browser acts after it. Of a finger that left, the click may come
    // late or not at all. A choice ends a press in a list of choices; elsewhere it is that of a field which the press left.
    const seen: [string, (event: Event) => void][] = [
      ["click", (event) => (event.target instanceof Element && event.target.closest("button") ? over() : soon())],
      ["pointerup", () => soon(400)],
      ["pointercancel", () => soon()],
      ["keydown", () => soon()],
      ...(onChoices ? [["change", () => soon()] as [string, () => void]] : []),
    ];
    for (const [name, act] of seen) window.addEventListener(name, act, { capture: name !== "click" });
    this.forget = () => {
      clearTimeout(timer);
      for (const [name, act] of seen) window.removeEventListener(name, act, { capture: name !== "click" });
      this.forget = null;
    };
  }

  private key(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(event.key.toLowerCase())) return;
    if (event.target instanceof HTMLTextAreaElement || (event.target instanceof HTMLInputElement && event.target.type === "text")) return;
    event.preventDefault();
    if (event.shiftKey || event.key.toLowerCase() === "y") this.app.redo();
    else this.app.undo();
  }

  private can(step: Step): boolean {
    if (step === "open") return true;
    if (!this.app.draft) return false;
    return step !== "explore" || this.app.made.length > 0;
  }

  private draw(): void {
    const { app, kit } = this;
    const { words } = kit;
    if (!this.can(app.step)) app.step = "open";
    const moved = this.step !== null && this.step !== app.step;
    this.step = app.step;
    this.drawHead();
    this.drawRail();
    this.drawNotices();
    this.title.textContent = words(`step.${app.step}` as Key);
    document.title = `${words(`step.${app.step}` as Key)} · Caseveil`;
    this.body.classList.toggle("on-explore", app.step === "explore");
    if (app.step === "explore" && !moved && this.body.querySelector("iframe") && this.sameFrame()) return;
    this.waits = !moved && typing(this.body);
    if (this.waits) return;
    replace(this.body, ...VIEWS[app.step](kit));
    if (moved) {
      window.scrollTo(0, 0);
      this.title.focus({ preventScroll: true });
    }
  }

  /** A frame that is taken out and put in again starts anew. */
  private sameFrame(): boolean {
    const key = `${this.lang} ${this.app.shown} ${this.app.made.length}`;
    const same = this.body.dataset["frame"] === key;
    this.body.dataset["frame"] = key;
    return same;
  }

  private drawHead(): void {
    const { app, kit } = this;
    const { words } = kit;
    const language = h("select", { id: "language", "aria-label": words("nav.language") });
    for (const { code, name } of languages) {
      const option = h("option", { value: code, lang: code }, name);
      option.selected = code === this.lang;
      language.append(option);
    }
    language.addEventListener("change", () => this.setLanguage(language.value as Lang));
    const theme = h("select", { id: "theme", "aria-label": words("nav.theme") });
    for (const one of ["auto", "light", "dark"] as const) {
      const option = h("option", { value: one }, words(`theme.${one}`));
      option.selected = (document.documentElement.dataset["theme"] ?? "auto") === one;
      theme.append(option);
    }
    theme.addEventListener("change", () => {
      document.documentElement.dataset["theme"] = theme.value;
    });
    const undo = button("undo", words("nav.undo"), () => app.undo(), { disabled: !app.history.canUndo });
    const redo = button("redo", words("nav.redo"), () => app.redo(), { disabled: !app.history.canRedo });
    const engine = app.loading ? words(`engine.${app.loading}`) : app.hello ? words(app.hello.engine === "native" ? "engine.native" : "engine.browser") : "";
    replace(
      this.head,
      h(
        "div",
        { class: "head-line" },
        h("div", {}, h("h1", {}, "Caseveil"), h("p", { class: "quiet" }, words("frame.tagline"))),
        h("div", { class: "tools" }, h("span", { class: app.loading ? "engine starting" : "engine", role: "status" }, engine), undo, redo, language, theme),
      ),
    );
  }

  private drawRail(): void {
    const { app, kit } = this;
    const { words } = kit;
    this.rail.setAttribute("aria-label", words("nav.steps"));
    const list = h("ol", {});
    for (const step of STEPS) {
      const can = this.can(step);
      const one = button(`step-${step}`, words(`step.${step}` as Key), () => app.go(step), { disabled: !can });
      if (step === app.step) one.setAttribute("aria-current", "step");
      if (!can) one.title = words(app.draft ? "step.needsRun" : "step.needsFile");
      list.append(h("li", {}, one));
    }
    replace(this.rail, list);
  }

  private drawNotices(): void {
    const { app, kit } = this;
    const { words } = kit;
    const problem =
      app.problem !== null &&
      h("div", { class: "problem", role: "alert" }, h("p", { lang: "en", dir: "auto" }, app.problem), button("problem-close", words("problem.close"), () => {
        app.problem = null;
        app.tell();
      }, { kind: "plain" }));
    replace(this.notices, problem, app.busy && progressLine(kit, app.busy.progress));
    replace(
      this.foot,
      h("p", {}, words("frame.stays")),
      h("p", { class: "quiet" }, this.lang !== "en" && `${words("frame.english")} `, app.hello && words("engine.version", { version: app.hello.version }), " ", h("a", { href: "licences.txt", target: "_blank", rel: "noopener" }, words("frame.licences"))),
    );
  }
}
