/** Views that the publisher chose, each with its text, its figure and a way into it. */

import type { Selection } from "../data/filter";
import type { Table } from "../data/table";
import { figureButtons } from "../export/index";
import { keyLine, keyOfCounts } from "../export/key";
import { type Context, heading, inSentence } from "../layout/context";
import { h } from "../layout/dom";
import { Panel } from "../panels/panel";
import { WIDTH } from "../panels/picture";
import { twin } from "../panels/twin";
import type { StoryData } from "../payload";
import type { Store } from "../state/store";
import { fromFragment, type View, type Vocabulary } from "../state/view";
import { selectionText, subjectText } from "../state/words";
import { selectionOf } from "./explore";

/** So many values of a column are in a story's figure. */
const MOST_ROWS = 10;
/** What page and card take at both sides of a figure on a phone, in pixels. */
const INSET = 76;

export function storiesPage(
  stories: readonly StoryData[],
  tables: readonly Table[],
  vocabulary: Vocabulary,
  store: Store,
  context: Context,
): HTMLElement {
  const { words } = context;
  const list = h("div", { class: "stories" });
  for (const story of stories) {
    const { view } = fromFragment(story.view, vocabulary);
    const open = h("a", { class: "button", href: `#${story.view}` }, words("stories.open"));
    open.setAttribute("aria-label", words("stories.openNamed", { title: story.title }));
    open.addEventListener("click", (event) => {
      event.preventDefault();
      store.set({ ...view, lang: store.view.lang });
    });
    list.append(
      h(
        "article",
        { class: "story" },
        h("h3", { dir: "auto" }, story.title),
        ...story.text.split(/\n\s*\n/).map((text) => h("p", { dir: "auto" }, text)),
        view.page === "explore" && figure(story, view, tables, context),
        open,
      ),
    );
  }
  return h("div", {}, h("p", { class: "lead" }, words("stories.intro")), list);
}

/** The first pinned column of the view, or the first that does not narrow it. */
function figure(story: StoryData, view: View, tables: readonly Table[], context: Context): HTMLElement | null {
  const table = tables.find(({ name }) => name === view.table);
  if (!table) return null;
  const names = [...view.pinned, ...table.data.columns.map((column) => column.name)];
  const name = names.find((one) => !view.chosen.has(one)) ?? names[0];
  if (name === undefined) return null;
  const selection = selectionOf(view, table);
  const position = table.column(name);
  const panel = panelOf(table, position, selection, context);
  const rows = panel.rows();
  const key = keyOfCounts(rows.map(({ estimate }) => estimate), context);
  // A column's own choice does not narrow its own figure.
  const chosen = selectionText(selection, table, context, position);
  const caption = [heading(name), chosen !== "" ? chosen : context.words("explore.allOf", { table: inSentence(table.name) })].join(" · ");
  const title = `${story.title} (${caption})`;
  return h(
    "div",
    { class: "story-figure", role: "group", "aria-label": caption },
    h("p", { class: "caption", dir: "auto" }, caption),
    panel.picture(caption, { most: MOST_ROWS, width: Math.max(260, Math.min(WIDTH, document.documentElement.clientWidth - INSET)) }),
    keyLine(key),
    h(
      "details",
      {},
      h("summary", {}, context.words("table.show")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, twin(caption, heading(name), rows, context)),
      figureButtons(
        {
          title,
          heads: [heading(name)],
          subject: subjectText(selection, table, context, position),
          key,
          svg: () => panel.picture(caption),
          rows: () => rows.map((row) => ({ labels: [row.label], estimate: row.estimate })),
        },
        context.footer,
        context.words,
      ),
    ),
  );
}

function panelOf(table: Table, position: number, selection: Selection, context: Context): Panel {
  const counts = table.count(selection);
  const nothing = (): void => undefined;
  const panel = new Panel(table, position, counts.blank[position]! > 0, { toggle: nothing, clear: nothing, pin: nothing }, context);
  panel.update(selection, counts, false);
  return panel;
}
