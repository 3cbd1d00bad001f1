/** Risk: who is singled out by rare combinations, and what to coarsen. */

import { bars } from "../ui/charts";
import { button, card, explain, h, type Kit, next, slider, table } from "../ui/kit";

const SHOWN = 12;

export function riskStep(kit: Kit): HTMLElement[] {
  const { app, words, number } = kit;
  const draft = app.draft!;
  const { k, length } = app;
  const question = { draft: { ...draft, release: null, promise: null }, k, length };
  const risk = app.live("risk", question, () => app.engine.ask("risk", { draft: app.draft!, k, length }));
  const several = draft.tables.length > 1;
  const name = (where: string, column: string): string => {
    if (column === "") return words("risk.number", { table: where });
    return several ? `${where}.${column}` : column;
  };
  const goTo = (where: string, column: string): void => {
    app.table = where;
    app.column = column;
    app.go("prepare");
  };
  const controls = card(
    null,
    h(
      "div",
      { class: "fields sliders" },
      h("div", {}, slider("k", (n) => `${words("risk.k")}: k = ${number(n)}`, k, 2, 50, (n) => {
        app.k = n;
        app.tell();
      }), explain(kit, "k", words("risk.kWhy"))),
      slider("risk-length", (n) => `${words("risk.length")}: ${number(n)}`, length, 1, 3, (n) => {
        app.length = n;
        app.tell();
      }),
    ),
    risk
      ? h("p", { class: "verdict", role: "status" }, words("risk.singled", { singled: risk.singled, people: risk.people }), risk.people > 0 && ` (${kit.share(risk.singled / risk.people)})`)
      : h("p", { class: "quiet", role: "status" }, words("engine.working")),
    several && h("p", { id: "with-links" }, words("risk.linked", { table: draft.tables[1]!.name })),
  );
  const parts: HTMLElement[] = [h("p", { class: "lead" }, words("risk.lead")), controls];
  if (!risk) return parts;
  const worst = [...risk.columns].sort((a, b) => a.singled_without - b.singled_without).slice(0, SHOWN);
  parts.push(
    card(
      words("risk.advice"),
      risk.advice.length === 0
        ? h("p", { class: "quiet" }, words("risk.adviceNone"))
        : h(
            "ul",
            { class: "advice" },
            ...risk.advice.map((one, i) =>
              h("li", {}, h("span", {}, words("risk.without", { column: name(one.table, one.column), without: one.without, singled: risk.singled }), " ", words(`how.${one.how}`)), button(`advice-${i}`, words("risk.goTo", { column: name(one.table, one.column) }), () => goTo(one.table, one.column))),
            ),
          ),
    ),
    h(
      "div",
      { class: "pair" },
      card(words("risk.byLength"), bars(kit, words("risk.byLength"), risk.by_length.map((one) => ({ label: words("forecast.of", { n: one.length }), value: one.singled })))),
      card(
        words("risk.columns"),
        explain(kit, "without", words("risk.columnsWhy")),
        bars(kit, words("risk.columns"), worst.map((one) => ({ label: name(one.table, one.column), value: one.singled_without }))),
      ),
    ),
  );
  if (risk.rare.length > 0) {
    const rows = risk.rare.slice(0, SHOWN).map((one) => [one.columns.map(({ table, column }, i) => `${name(table, column)} = ${one.values[i]!}`).join(" · "), number(one.people)]);
    parts.push(card(words("risk.rare"), h("p", { class: "flag private" }, words("open.private")), table(words("risk.rare"), [words("risk.rare"), words("prepare.count")], rows)));
  }
  parts.push(next(kit, "promise"));
  return parts;
}

