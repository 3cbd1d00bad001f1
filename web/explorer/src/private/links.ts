/** The link of a release against the truth, each number beside what chance would give. */

import { formatShare } from "../i18n/index";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import { type Cell, scrolled, simpleTable } from "../pages/plot";
import type { LinkData } from "../payload";
import { dots } from "./figures";
import { people, share, whole } from "./format";
import type { LinksReport } from "./report";

export function partOfLinks(links: LinksReport, data: LinkData, context: Context): HTMLElement {
  const { words } = context;
  const names = { people: inSentence(data.to), others: inSentence(data.table) };
  const cap = links.dropped > 0 ? words("private.dropped", { links: links.dropped, n: links.above, ...names }) : words("private.noneDropped");
  const numbers = { victims: links.victims, links: links.links, madeVictims: links.synthetic_victims, madeLinks: links.synthetic_links };
  const counts = words("private.linkCounts");
  return h(
    "section",
    {},
    h("h3", {}, words("quality.links")),
    h("p", {}, `${words("private.linksOf", { ...names, ...numbers })} ${cap}`),
    h("div", { class: "card" }, across(links, names, context)),
    h("div", { class: "card" }, shares(links, names, context)),
    h("div", { class: "card" }, number(links, data, names, context)),
    links.concordance.length > 0 && h("div", { class: "card" }, alike(links, names, context)),
    links.counts.length > 0 &&
      h(
        "div",
        { class: "card" },
        h("h4", {}, counts),
        scrolled(
          counts,
          simpleTable(
            counts,
            [words("private.counted"), words("private.published"), words("private.meanError"), words("private.inside"), words("private.madeUpShort")],
            links.counts.map((one): Cell[] => [
              kind(one.of, names, context),
              whole(one.published, context),
              people(one.mean_error, context),
              share(one.inside, context),
              share(one.made_up, context),
            ]),
          ),
        ),
      ),
  );
}

type Names = { people: string; others: string };

function kind(of: string, names: Names, { words }: Context): string {
  if (of === "links") return words("linked.ofLinks");
  if (of === "victims with any") return words("linked.ofPeople", names);
  return of === "victims" ? words("linked.number", names) : words("private.ofRandomPair", names);
}

function across({ across: of }: LinksReport, names: Names, context: Context): HTMLElement {
  const { words } = context;
  const rows = [
    { name: words("private.release"), values: [people(of.mean_error, context)] },
    { name: words("private.chance"), values: [people(of.independent, context)] },
  ];
  const meanError = words("private.meanError");
  return dots({ title: words("private.across", names), head: words("estimate.source"), axis: meanError, series: [meanError], rows }, context);
}

function shares(links: LinksReport, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const rows = [
    { name: words("private.madeUpLinks"), values: [share(links.across.made_up_weight, context)] },
    { name: words("private.madeUpPairs", names), values: [share(links.within_made_up_weight, context)] },
    { name: words("private.distance", names), values: [share(links.number.distance, context)] },
    { name: words("private.overCap"), values: [share(links.dropped / Math.max(1, links.links + links.dropped), context)] },
  ];
  const of = { title: words("private.linkShares"), head: words("private.what"), axis: words("estimate.share"), series: [words("estimate.share")], rows };
  return dots({ ...of, share: (x) => formatShare(lang, x) }, context);
}

/** The last bar stands for the cap and what lay above it, of which the cap keeps so many. */
function number({ number: of, dropped }: LinksReport, data: LinkData, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const rows = of.true.map((value, i) => ({
    name: i === data.most && dropped > 0 ? words("linked.orMore", { value: i }) : context.number(i),
    values: [share(of.synthetic[i] ?? 0, context), share(value, context)],
  }));
  const title = heading(words("linked.number", names));
  const series = [words("quality.synthetic"), words("private.true")];
  const most = Math.max(...of.true, ...of.synthetic);
  const figure = { title, head: words("linked.numberAxis", names), axis: words("estimate.share"), series, rows };
  return dots({ ...figure, share: (x) => formatShare(lang, x, most < 0.05 ? 1 : 0) }, context);
}

function alike(links: LinksReport, names: Names, context: Context): HTMLElement {
  const { words, lang } = context;
  const rows = links.concordance.map((one) => ({
    name: heading(one.attribute.replace("=", ": ")),
    values: [one.synthetic, one.true, one.independent].map((value) => (value === null ? null : share(value, context))),
  }));
  const title = words("quality.alike", names);
  const series = [words("quality.synthetic"), words("private.true"), words("private.byChance")];
  return dots({ title, head: words("quality.attributes"), axis: words("estimate.share"), series, rows, share: (x) => formatShare(lang, x) }, context);
}
