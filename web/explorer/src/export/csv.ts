/** A figure as a table that spreadsheets open. */

import type { Figure, PlainFigure } from "./figure";

// What a spreadsheet would take for a formula. Numbers such as -5 stay as they are.
const FORMULA = /^[\t\r]*[=+\-@]/;
const NUMBER = /^[+-]?\d+([.,]\d+)?\+?$/;

function cell(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/**
 * Heads are those of the counts files (count, lower, upper), after those that name a row; numbers are plain. A count that
 * is too few to tell is left empty: whoever draws the file would draw it as a bar like any other. Title, who is counted
 * and footer come below the table, after an empty line, for the first line has to be the heads. A mark at the start
 * tells spreadsheets that the text is UTF-8.
 */
export function toCsv(figure: Figure | PlainFigure, footer: string): string {
  const lines = "cells" in figure ? [figure.heads, ...figure.cells()].map((line) => line.map(cell)) : ofCounts(figure);
  const below = [figure.title, ...(figure.subject ? [figure.subject] : []), ...footer.split("\n")];
  lines.push([""], ...below.map((line) => [cell(line)]));
  return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function ofCounts(figure: Figure): string[][] {
  const heads = [...figure.heads, "count", "lower", "upper", "source", "too_few_to_tell"];
  const lines = [heads.map(cell)];
  for (const { labels, estimate } of figure.rows()) {
    const { count, lower, upper, source, few } = estimate;
    lines.push([...labels.map(cell), ...(few ? ["", "0"] : [`${count}`, `${lower}`]), `${upper}`, source, few ? "yes" : "no"]);
  }
  return lines;
}
