/** Make: rehearse or release, watch, cancel; runs side by side. */

import type { Made } from "../app";
import type { Progress } from "../contract";
import type { Key } from "../i18n/index";
import { changeRelease, fileName } from "../draft/change";
import { bars } from "../ui/charts";
import { about as rounded, button, card, confirm, edit, explain, field, h, type Kit, next, privateBand, table, text } from "../ui/kit";
import { keptLedgers } from "./open";
import { ledgerView } from "./promise";

export function makeStep(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const parts = [h("p", { class: "lead" }, words("make.lead")), about(kit), start(kit)];
  if (app.made.length > 0) parts.push(runs(kit), quality(kit), comparison(kit), next(kit, "explore"));
  return parts;
}

function about(kit: Kit): HTMLElement {
  const { app, words } = kit;
  const { release } = app.draft!;
  const one = (key: keyof typeof release, label: string, tidy: (typed: string) => string = (typed) => typed.trim()): HTMLElement =>
    field(`release-${key}`, label, text(release[key], (typed) => edit(kit, (draft) => changeRelease(draft, { [key]: tidy(typed) }))));
  return card(
    words("make.about"),
    h(
      "div",
      { class: "fields" },
      one("title", words("make.title")),
      one("name", words("make.name"), (typed) => fileName(typed, "release")),
      one("version", words("make.version")),
      one("publisher", words("make.publisher")),
      one("license", words("make.license")),
    ),
  );
}

function start(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const draft = app.draft!;
  const epsilon = number(draft.promise.epsilon);
  const usual = words("make.labelOf", { run: app.made.length + 1, epsilon, columns: words("forecast.of", { n: draft.aggregates.length }) });
  const label = text(app.label ?? usual, (typed) => {
    app.label = typed.trim() === "" ? null : typed;
  });
  const view = ledgerView(kit);
  const refused = view?.refused ?? "";
  const disabled = app.busy !== null;
  return card(
    null,
    h("div", { class: "fields" }, field("label", words("make.label"), label)),
    h(
      "div",
      { class: "two" },
      h("div", {}, button("rehearse", words("make.rehearse"), () => void app.make("rehearse", app.label ?? usual), { disabled }), h("p", { class: "quiet" }, words("make.rehearseWhy"))),
      h(
        "div",
        {},
        button("release", words("make.release"), () => confirm(kit, words("make.sure", { epsilon }), words("make.go"), () => void app.make("release", app.label ?? usual)), { disabled, kind: "primary" }),
        h("p", { class: "quiet" }, words("make.releaseWhy", { epsilon })),
      ),
    ),
    view && !view.exists && app.busy === null && app.keptBefore.length > 0 && keptLedgers(kit),
    refused !== "" && h("div", { class: "refused" }, h("strong", {}, words("ledger.refused")), h("p", { lang: "en", dir: "auto" }, refused)),
    app.cancelled && h("p", { class: "notice", role: "status" }, words("make.cancelled")),
  );
}

/** Shown above every step while something long runs. */
export function progressLine(kit: Kit, progress: Progress | null): HTMLElement {
  const { app, words } = kit;
  const bar = h("progress", { max: "1", "aria-label": words("engine.working") });
  if (progress?.fraction != null) bar.value = progress.fraction;
  const said = progress?.fraction != null ? words("make.progress", { share: kit.share(progress.fraction) }) : words("engine.working");
  return h(
    "div",
    { class: "progress" },
    h("p", { class: "progress-words" }, stage(kit, progress?.stage ?? ""), h("span", { class: "quiet" }, said, progress?.seconds_left != null && ` · ${words("make.left", { time: time(kit, progress.seconds_left) })}`)),
    bar,
    button("cancel", words("make.cancel"), () => void app.cancel()),
  );
}

const STAGES: Record<string, Key> = {
  "Reading the data": "stage.reading",
  "Looking at the columns": "stage.looking",
  "Inventing people": "stage.inventing",
  "Checking the data against the plan": "stage.checking",
  "Checking it against the plan": "stage.checking",
  "Counting and adding noise": "stage.measuring",
  "Fitting the model": "stage.fitting",
  "Making records": "stage.records",
  "Making counts": "stage.counts",
  "Comparing the release with the data": "stage.comparing",
  "Attacking the release": "stage.attacking",
  "Writing the report": "stage.writing",
};

function stage(kit: Kit, said: string): HTMLElement {
  const key = STAGES[said];
  return key ? h("span", {}, kit.words(key)) : h("span", { lang: "en", dir: "auto" }, said);
}

function time(kit: Kit, seconds: number): string {
  const n = Math.max(1, Math.round(seconds));
  return n < 90 ? kit.words("make.seconds", { n }) : kit.words("make.minutes", { n: Math.round(n / 60) });
}

function runs(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const rows: [string, (one: Made) => string][] = [
    [words("make.of"), ({ run }) => words(run.of === "rows" ? "make.rows" : "make.twin")],
    [words("forecast.epsilon"), ({ run }) => number(run.epsilon)],
    [words("make.length"), ({ run }) => number(run.length)],
    [words("make.people"), ({ run }) => number(run.people)],
    [words("make.published"), ({ run }) => number(run.published)],
    [words("make.time"), ({ run }) => time(kit, run.seconds)],
  ];
  const sentences = app.made.map(({ run }) =>
    h("p", {}, h("strong", {}, h("bdi", {}, run.label)), ": ", run.of === "twin" ? words("make.twinWhy") : h("span", { lang: "en", dir: "ltr" }, run.sentence)),
  );
  return card(
    words("make.runs"),
    table(words("make.runs"), [words("make.run"), ...app.made.map(({ run }) => run.label)], rows.map(([name, value]) => [name, ...app.made.map(value)])),
    h("div", { class: "quiet" }, ...sentences),
  );
}

function quality(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const data = app.made.flatMap(({ run }) => run.quality.map((one) => ({ run, ...one })));
  const several = new Set(data.map((one) => one.table)).size > 1;
  const label = (one: (typeof data)[number]): string => [app.made.length > 1 ? one.run.label.split(":")[0] : "", several ? one.table : "", words("forecast.of", { n: one.length })].filter((part) => part !== "").join(" · ");
  return card(
    words("make.quality"),
    explain(kit, "quality", words("make.qualityWhy")),
    bars(kit, words("make.quality"), data.map((one) => ({ label: label(one), value: one.error, tick: one.expected }))),
    h(
      "details",
      { id: "quality-table" },
      h("summary", {}, words("forecast.table")),
      table(words("make.quality"), [words("make.run"), words("make.length"), words("make.error"), words("make.expected")], data.map((one) => [`${one.run.label} · ${one.table}`, number(one.length), rounded(kit, one.error), rounded(kit, one.expected)])),
    ),
  );
}

function comparison(kit: Kit): HTMLElement {
  const { app, words, number } = kit;
  const known = app.comparable;
  const gone = app.made.some((one) => one.run.of === "rows" && !app.knows(one));
  const label = (id: string): string => known.find(({ run }) => run.id === id)?.run.label ?? id;
  return privateBand(
    kit,
    h("p", {}, words("compare.choose")),
    gone && h("p", { class: "quiet" }, words("compare.gone")),
    button("compare", words("make.compare"), () => void app.compare(), { disabled: app.busy !== null || known.length === 0 }),
    ...charts(kit, label),
    app.comparison &&
      table(
        words("make.compare"),
        [words("make.run"), words("make.length"), words("compare.counts"), words("compare.records"), words("compare.madeUp"), words("compare.lost")],
        app.comparison.rows.map((row) => [`${label(row.run)} · ${row.table}`, number(row.length), rounded(kit, row.counts_error), rounded(kit, row.records_error), kit.share(row.made_up), kit.share(row.lost)]),
      ),
  );
}

/** What is off, for all runs in the same two charts. */
function charts(kit: Kit, label: (run: string) => string): HTMLElement[] {
  const { app, words } = kit;
  const rows = app.comparison?.rows ?? [];
  const several = new Set(rows.map((row) => row.table)).size > 1;
  // Bars of one length of all runs lie beside each other.
  const order = [...new Set(rows.map((row) => row.table))];
  const sorted = [...rows].sort((a, b) => order.indexOf(a.table) - order.indexOf(b.table) || a.length - b.length);
  const name = (row: (typeof rows)[number]): string => [words("forecast.of", { n: row.length }), several ? row.table : "", label(row.run).split(":")[0]!].filter((part) => part !== "").join(" · ");
  const chart = (title: string, value: (row: (typeof rows)[number]) => number): HTMLElement =>
    h("div", {}, h("h4", {}, title), bars(kit, title, sorted.map((row) => ({ label: name(row), value: value(row) }))));
  if (rows.length === 0) return [];
  return [h("div", { class: "pair" }, chart(words("compare.records"), (row) => row.records_error), chart(words("compare.counts"), (row) => row.counts_error))];
}
