/** Publish: the bundle for readers; the ledger, the plan and the private report for the steward. */

import type { Made } from "../app";
import { fileName } from "../draft/change";
import { save, saveLedger } from "../keep/save";
import { button, card, choice, field, h, type Kit, privateBand, remarks } from "../ui/kit";

export function publishStep(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const releases = app.made.filter(({ bundle }) => bundle !== null);
  const made = releases.find(({ id }) => id === app.shown) ?? releases.at(-1);
  const parts: HTMLElement[] = [h("p", { class: "lead" }, words("publish.lead"))];
  if (!made) return [...parts, h("p", { class: "notice" }, words("publish.noRelease")), ...(app.ledgerSaved ? [] : [card(null, h("dl", { class: "files" }, ...ledger(kit)))]), plan(kit)];
  const pick = choice(made.id, releases.map(({ id, run }) => [id, run.label] as const), (id) => {
    app.shown = id;
    app.tell();
  });
  parts.push(h("div", { class: "fields" }, field("publish-run", words("publish.run"), pick)), check(kit, made), bundle(kit, made), plan(kit), report(kit, made));
  return parts;
}

function check(kit: Kit, made: Made): HTMLElement {
  const { app, words } = kit;
  const found = app.live("check", { draft: made.draft }, () => app.engine.ask("check", { draft: made.draft }));
  const list = found?.remarks.filter((remark) => remark.level !== "note") ?? [];
  return card(words("publish.check"), found && list.length === 0 ? h("p", { class: "quiet" }, words("publish.checkFine")) : remarks(kit, list));
}

function state(kit: Kit, saved: boolean): HTMLElement {
  return h("span", { class: saved ? "state saved" : "state" }, kit.words(saved ? "publish.saved" : "publish.unsaved"));
}

function saveBundle(kit: Kit, made: Made): void {
  save(made.bundle!.bytes, made.bundle!.name, "application/zip");
  made.saved = true;
  kit.app.tell();
}

function bundle(kit: Kit, made: Made): HTMLElement {
  const { app, words } = kit;
  return card(
    null,
    h("p", {}, button("save-both", words("publish.both"), () => {
      saveBundle(kit, made);
      void saveLedger(kit);
    }, { kind: "primary", disabled: app.busy !== null })),
    h(
      "dl",
      { class: "files" },
      h("dt", {}, words("publish.bundle"), " ", state(kit, made.saved)),
      h("dd", {}, words("publish.bundleWhy"), " ", button("save-bundle", words("publish.bundleSave"), () => saveBundle(kit, made), { kind: "plain" })),
      ...ledger(kit),
    ),
  );
}

function ledger(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  return [
    h("dt", {}, words("publish.ledger"), " ", state(kit, app.ledgerSaved)),
    h("dd", {}, words("publish.ledgerWhy"), " ", button("save-ledger", words("publish.ledgerSave"), () => void saveLedger(kit), { kind: "plain" })),
  ];
}

function plan(kit: Kit): HTMLElement {
  const { app, words } = kit;
  const act = async (): Promise<void> => {
    const toml = await app.plan();
    if (toml !== null) save(toml, "release.toml", "application/toml");
  };
  return card(words("publish.plan"), h("p", { class: "quiet" }, words("publish.planWhy")), button("save-plan", words("publish.planSave"), () => void act()));
}

function report(kit: Kit, made: Made): HTMLElement {
  const { app, words } = kit;
  const attacks = h("input", { type: "checkbox", id: "attacks" });
  attacks.checked = app.attacks;
  attacks.addEventListener("change", () => {
    app.attacks = attacks.checked;
  });
  const act = async (): Promise<void> => {
    const file = await app.report(made);
    if (file) save(file.bytes, fileName(file.name.replace(/\.zip$/, ""), "private-report") + ".zip", "application/zip");
  };
  return privateBand(
    kit,
    h("h3", {}, words("publish.report")),
    h("p", {}, words("publish.reportWhy")),
    h("p", {}, h("label", { class: "check" }, attacks, words("publish.attacks"))),
    app.knows(made)
      ? button("save-report", words("publish.reportSave"), () => void act(), { disabled: app.busy !== null })
      : h("p", { class: "quiet" }, words("compare.gone")),
  );
}
