/** One table of a release against its true rows: errors, what was kept and made up, published counts. */

import { formatShare } from "../i18n/index";
import { type Context, heading } from "../layout/context";
import { h } from "../layout/dom";
import { type Cell, scrolled, simpleTable } from "../pages/plot";
import { bands, dots, type Value } from "./figures";
import { bandOf, kept, lengthOf, people, share, whole } from "./format";
import type { Band, TableReport } from "./report";

export function partOfTable(table: TableReport, frequent: number, context: Context): HTMLElement {
  const { words } = context;
  const name = heading(table.table);
  const titled = (title: string): string => `${title}: ${name}`;
  const card = (...children: (Node | string | false)[]): HTMLElement => h("div", { class: "card" }, ...children);
  const help = (text: string): HTMLElement => h("p", { class: "quiet" }, text);
  return h(
    "section",
    {},
    h("h3", {}, name),
    h("p", {}, words("private.of", { rows: table.people, records: table.records })),
    sampled(table, context),
    card(errors(table, titled(words("private.error")), context), help(words("private.errorHelp"))),
    card(errorsBySize(table, titled(words("private.bySize")), context)),
    card(keptBySize(table, titled(words("private.kept")), context), help(words("private.keptHelp"))),
    card(madeUp(table, titled(words("private.madeUp")), context), help(words("private.madeUpHelp"))),
    card(
      h("h4", {}, titled(words("quality.synthetic"))),
      scrolled(titled(words("quality.synthetic")), records(table, titled(words("quality.synthetic")), frequent, context)),
    ),
    table.counts.length > 0 &&
      card(
        h("h4", {}, titled(words("quality.published"))),
        scrolled(titled(words("quality.published")), published(table, titled(words("quality.published")), frequent, context)),
        help(words("private.insideHelp")),
      ),
  );
}

/** Which lengths were compared in a part of their groups. */
function sampled({ lengths }: TableReport, context: Context): HTMLElement | false {
  const parts = lengths
    .filter((one) => one.groups < one.groups_in_all)
    .map((one) => `${lengthOf(one.length, context)}: ${context.number(one.groups)} / ${context.number(one.groups_in_all)}`);
  return parts.length > 0 && h("p", { class: "quiet" }, context.words("private.sampled", { groups: parts.join("; ") }));
}

function errors(table: TableReport, title: string, context: Context): HTMLElement {
  const { words } = context;
  const rows = table.lengths.map((one) => {
    const counted = table.counts.find(({ length }) => length === one.length);
    return { name: lengthOf(one.length, context), values: [people(one.mean_error, context), counted ? people(counted.mean_error, context) : null] };
  });
  const series = [words("quality.synthetic"), words("quality.published")];
  return dots({ title, head: words("quality.attributes"), axis: words("private.meanError"), series, rows }, context);
}

/** Bands that any length has, in order. */
function allBands(table: TableReport): Band[] {
  const found = new Map<number, Band>();
  for (const { bands: own } of table.lengths) for (const band of own) found.set(band.least, band);
  return [...found.values()].sort((a, b) => a.least - b.least);
}

function bySize(table: TableReport, context: Context, value: (band: Band) => Cell): { name: string; values: Value[] }[] {
  return allBands(table).map((one) => ({
    name: bandOf(one, context),
    values: table.lengths.map(({ bands: own }) => {
      const band = own.find(({ least }) => least === one.least);
      return band ? value(band) : null;
    }),
  }));
}

function errorsBySize(table: TableReport, title: string, context: Context): HTMLElement {
  const { words } = context;
  const series = table.lengths.map(({ length }) => lengthOf(length, context));
  const rows = bySize(table, context, (band) => people(band.mean_error, context));
  return bands({ title, head: words("private.size"), axis: words("private.meanError"), series, rows }, words("private.size"), context);
}

function keptBySize(table: TableReport, title: string, context: Context): HTMLElement {
  const { words, lang } = context;
  const series = table.lengths.map(({ length }) => lengthOf(length, context));
  const all = { name: words("private.all"), values: table.lengths.map(({ bands: own }) => shareOrNone(kept(own), context)) };
  const rows = [...bySize(table, context, (band) => share(1 - band.lost, context)), all];
  const of = { title, head: words("private.size"), axis: words("private.kept"), series, rows, share: (x: number) => formatShare(lang, x) };
  return bands(of, words("private.size"), context);
}

function shareOrNone(value: number | null, context: Context): Value {
  return value === null ? null : share(value, context);
}

function madeUp(table: TableReport, title: string, context: Context): HTMLElement {
  const { words, lang } = context;
  const rows = table.lengths.map((one) => ({
    name: lengthOf(one.length, context),
    values: [share(one.made_up, context), share(one.made_up_weight, context)],
  }));
  const series = [words("private.byCombination"), words("private.byRecord")];
  return dots({ title, head: words("quality.attributes"), axis: words("private.madeUpShort"), series, rows, share: (x) => formatShare(lang, x) }, context);
}

function records(table: TableReport, title: string, frequent: number, context: Context): HTMLTableElement {
  const { words } = context;
  const lost = words("private.lost", { n: frequent });
  return simpleTable(
    title,
    [words("quality.attributes"), words("private.combinations"), words("private.meanError"), lost, words("private.madeUpShort"), words("private.byRecord")],
    table.lengths.map((one): Cell[] => [
      lengthOf(one.length, context),
      whole(one.combinations, context),
      people(one.mean_error, context),
      share(one.lost, context),
      share(one.made_up, context),
      share(one.made_up_weight, context),
    ]),
  );
}

function published(table: TableReport, title: string, frequent: number, context: Context): HTMLTableElement {
  const { words } = context;
  const lost = words("private.lost", { n: frequent });
  return simpleTable(
    title,
    [words("quality.attributes"), words("private.published"), words("private.onPublished"), words("private.meanError"), words("private.inside"), lost, words("private.madeUpShort")],
    table.counts.map((one): Cell[] => [
      lengthOf(one.length, context),
      whole(one.published, context),
      people(one.mean_error_published, context),
      people(one.mean_error, context),
      share(one.inside, context),
      share(one.lost, context),
      share(one.made_up, context),
    ]),
  );
}
