/** What is selected, in words. */

import type { Selection } from "../data/filter";
import type { Table } from "../data/table";
import { type Context, heading, inSentence } from "../layout/context";
import { label } from "../panels/kinds";

/** "Gender: Female or Male and Age: 9–17"; "" where nothing narrows. except: a column whose choice does not. */
export function selectionText(selection: Selection, table: Table, { words }: Context, except = -1): string {
  const parts: string[] = [];
  for (const [position, choice] of selection) {
    if (position === except || choice.size === 0) continue;
    const { name, values } = table.data.columns[position]!;
    const chosen = [...choice].map((value) => (value < 0 ? words("explore.blank") : label(values[value]!)));
    parts.push(`${heading(name)}: ${chosen.join(` ${words("explore.or")} `)}`);
  }
  return parts.join(` ${words("explore.and")} `);
}

/** Who is counted in a figure, as a sentence: what is saved is seen without the page around it. */
export function subjectText(selection: Selection, table: Table, context: Context, except = -1): string {
  const people = inSentence(table.name);
  const text = selectionText(selection, table, context, except);
  return text === "" ? context.words("explore.all", { table: people }) : context.words("linked.narrowed", { people, selection: text });
}
