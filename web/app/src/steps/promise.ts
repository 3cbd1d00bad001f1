/** Promise: how strong, how long, and what is left of the accuracy; and the ledger. */

import type { Draft, LedgerView } from "../contract";
import { changeAggregates, changePromise, EPSILONS, epsilonsWith } from "../draft/change";
import { forecastChart } from "../ui/charts";
import { about, button, card, choice, chooser, edit, explain, field, h, type Kit, next, radios, sentence, slider, table, text, told, whole } from "../ui/kit";
import { saveLedger } from "../keep/save";
import { keptLedgers } from "./open";

export function promiseStep(kit: Kit): HTMLElement[] {
  return [
    h("p", { class: "lead" }, kit.words("promise.lead")),
    h("div", { class: "promise-pair" }, controls(kit), forecast(kit)),
    ...(begun(kit) ? [] : kit.app.keptBefore.length > 0 ? [keptLedgers(kit)] : []),
    ledger(kit),
    next(kit, "make"),
  ];
}

function strength(kit: Kit, epsilon: number): string {
  const name = epsilon <= 0.5 ? "veryStrong" : epsilon <= 1 ? "strong" : epsilon <= 4 ? "moderate" : "weak";
  return kit.words(`strength.${name}`);
}

function units(draft: Draft, now: string): [string, string][] {
  const known = draft.tables.length > 1 ? ["victim", "victim or perpetrator"] : ["person", "victim"];
  return [...new Set([...known, now])].map((unit) => [unit, unit]);
}

function controls(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const draft = app.draft!;
  const { promise, aggregates } = draft;
  const set = (change: Partial<Draft["promise"]>): void => edit(kit, (now) => changePromise(now, change));
  const steps = epsilonsWith(promise.epsilon);
  const fabrication = typeof aggregates.fabrication === "number" ? null : aggregates.fabrication;
  return card(
    null,
    slider("epsilon", (i) => `${words("promise.epsilon", { epsilon: number(steps[i]!) })} · ${strength(kit, steps[i]!)}`, steps.indexOf(promise.epsilon), 0, steps.length - 1, (i) => set({ epsilon: steps[i]! })),
    explain(kit, "epsilon", words("promise.epsilonWhy")),
    slider("length", (n) => words("promise.length", { n }), aggregates.length, 1, 4, (length) => edit(kit, (now) => changeAggregates(now, { length }))),
    explain(kit, "length", words("promise.lengthWhy")),
    radios(
      "fabrication",
      words("promise.fabrication"),
      fabrication ?? "",
      (["open", "balanced", "minimal"] as const).map((dial) => [dial as string, words(`fabrication.${dial}`)] as const),
      (dial) => edit(kit, (now) => changeAggregates(now, { fabrication: dial as "open" })),
    ),
    explain(kit, "fabrication", words("promise.fabricationWhy")),
    h(
      "div",
      { class: "fields" },
      field("unit", words("promise.unit"), choice(promise.unit, units(draft, promise.unit), (unit) => set({ unit }))),
      field("population", words("promise.population"), text(promise.population, (population) => set({ population: population.trim() }))),
      field("people", words("promise.people"), whole(promise.people ?? null, 2, 1_000_000_000, (people) => set({ people }))),
    ),
    explain(kit, "unit", words("promise.unitWhy"), words("promise.populationWhy"), words("promise.peopleWhy")),
    h("p", {}, words("promise.delta", { delta: promise.delta === "auto" ? words("promise.deltaAuto") : String(promise.delta) })),
    explain(kit, "delta", words("promise.deltaWhy")),
  );
}

function forecast(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const draft = app.draft!;
  const { epsilon } = draft.promise;
  const asked = epsilonsWith(epsilon);
  // The answer has every epsilon of the slider, so that moving it asks nothing.
  const question = { ...draft, release: null, promise: { ...draft.promise, epsilon: null, budget: null }, asked };
  const found = app.live("forecast", question, () => app.engine.ask("forecast", { draft: app.draft!, epsilons: asked }));
  if (!found) return card(words("forecast.title"), h("p", { class: "quiet", role: "status" }, words("engine.working")));
  // Nobody is off by parts of a person, unless the number is small.
  const people = (n: number): string => about(kit, n >= 10 ? Math.round(n) : n);
  const own = found.rows.filter((row) => row.epsilon === epsilon);
  const rows = found.rows.filter((row) => [0.5, 1, 2, 4, epsilon].includes(row.epsilon)).sort((a, b) => a.epsilon - b.epsilon || a.length - b.length);
  const said = own.map(({ length, within, typical }) => h("p", {}, words("forecast.sentence", { columns: words("forecast.of", { n: length }), within: people(within), typical: people(typical) })));
  return card(
    words("forecast.title"),
    h("div", { class: "sentences", role: "status" }, ...said),
    ...found.sentences.map((one, i) => told(kit, "p", found.said?.[i], one, "quiet")),
    forecastChart(kit, found.rows, epsilon),
    h(
      "details",
      { id: "forecast-table" },
      h("summary", {}, words("forecast.table")),
      table(words("forecast.table"), [words("forecast.epsilon"), words("make.length"), words("forecast.within")], rows.map((row) => [number(row.epsilon), number(row.length), people(row.within)])),
    ),
  );
}

export function ledgerView(kit: Kit): LedgerView | null {
  const { app } = kit;
  const draft = app.draft!;
  const question = { tables: draft.tables.map((one) => one.name), promise: draft.promise, release: draft.release };
  return app.live("ledger", question, () => app.engine.ask("ledger_view", { draft: app.draft! }));
}

/** Whether the engine has a ledger. Where it has none and one is kept here, that one is offered first. */
function begun(kit: Kit): boolean {
  return ledgerView(kit)?.exists ?? true;
}

function ledger(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const draft = app.draft!;
  const view = ledgerView(kit);
  const budgets = [null, ...EPSILONS.filter((epsilon) => epsilon >= 0.5), 16, 20];
  const now = draft.promise.budget?.epsilon ?? null;
  const options = [...new Set([...budgets, now])].map((one) => [String(one ?? ""), one === null ? words("ledger.budgetNone") : number(one)] as const);
  const budget = choice(String(now ?? ""), options, (picked) =>
    edit(kit, (old) => changePromise(old, { budget: picked === "" ? null : { epsilon: Number(picked), delta: old.promise.budget?.delta ?? 2e-5 } })),
  );
  const spent = view?.spent?.epsilon ?? 0;
  const after = view?.after?.epsilon ?? null;
  const most = view?.budget?.epsilon ?? now;
  return card(
    words("ledger.title"),
    explain(kit, "ledger", words("ledger.why")),
    view && !view.exists && h("p", { class: "quiet" }, words("ledger.none")),
    view && gauge(kit, spent, after, most),
    ...(view?.notes ?? []).map((note) => sentence(note)),
    view && view.refused !== "" && h("div", { class: "refused", role: "alert" }, h("strong", {}, words("ledger.refused")), sentence(view.refused)),
    h(
      "div",
      { class: "fields" },
      field("budget", words("ledger.budget"), budget),
      h(
        "div",
        { class: "row" },
        chooser("ledger-file", words("ledger.open"), ".caseveil,.json,.ledger", false, ([file]) => void app.openLedger(file!)),
        view?.exists && button("ledger-save", words("publish.ledgerSave"), () => void saveLedger(kit)),
        button("ledger-new", words("ledger.new"), () => void app.openLedger(null), { disabled: view?.exists === true && !app.ledgerSaved }),
      ),
    ),
    view && view.releases.length > 0 && h("details", { id: "ledger-releases" }, h("summary", {}, words("ledger.releases")), h("ul", {}, ...view.releases.map((one) => sentence(`${one.name} ${one.version}, ${one.date}: ${one.sentence}`, "li")))),
  );
}

/** Spent, then what this release adds, on the length of the budget. */
function gauge(kit: Kit, spent: number, after: number | null, most: number | null): HTMLElement {
  const { words, number } = kit;
  const round = (n: number): string => number(Math.round(n * 100) / 100);
  const end = Math.max(most ?? 0, after ?? 0, spent, 0.01) * (most === null ? 1.15 : 1);
  const track = h("div", { class: "gauge", "aria-hidden": "true" });
  const part = (from: number, to: number, kind: string): void => {
    const piece = h("span", { class: kind });
    piece.style.insetInlineStart = `${(100 * from) / end}%`;
    piece.style.inlineSize = `${(100 * Math.max(0, to - from)) / end}%`;
    track.append(piece);
  };
  part(0, spent, "spent");
  if (after !== null) part(spent, after, most !== null && after > most ? "over" : "after");
  if (most !== null) part(most, most, "budget");
  const said = [
    ["spent", words("ledger.spent", { spent: round(spent) })],
    after !== null && ["after", words("ledger.after", { after: round(after) })],
    most !== null && ["budget", words("ledger.of", { budget: round(most) })],
    most !== null && ["", words("ledger.left", { left: round(Math.max(0, most - spent)) })],
  ].filter((one): one is string[] => one !== false);
  return h("div", { class: "gauge-whole" }, track, h("p", { class: "gauge-words" }, ...said.map(([kind, one]) => h("span", { class: `of-${kind!}` }, one!))));
}
