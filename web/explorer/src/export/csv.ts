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
 * Heads are those of the counts files (count, lower, upper), after those that name a row; numbers are plain. Title and
 * footer come below the table, after an empty line, for the first line has to be the heads. A mark at the start tells
 * spreadsheets that the text is UTF-8.
 */
export function toCsv(figure: Figure | PlainFigure, footer: string): string {
  const lines = "cells" in figure ? [figure.heads, ...figure.cells()].map((line) => line.map(cell)) : ofCounts(figure);
  lines.push([""], [cell(figure.title)], ...footer.split("\n").map((line) => [cell(line)]));
  return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function ofCounts(figure: Figure): string[][] {
  const heads = [...figure.heads, "count", "lower", "upper", "source", "too_few_to_tell"];
  const lines = [heads.map(cell)];
  for (const { labels, estimate } of figure.rows()) {
    const { count, lower, upper, source, few } = estimate;
    lines.push([...labels.map(cell), `${count}`, `${lower}`, `${upper}`, source, few ? "yes" : "no"]);
  }
  return lines;
}
