/** Numbers as the written report has them. */

import { formatNumber, formatShare } from "../i18n/index";
import type { Context } from "../layout/context";
import type { Cell } from "../pages/plot";
import type { Band } from "./report";

/** People: 1,234 or 3.21. */
export function people(value: number, { lang }: Context): Cell {
  const rounded = value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return { value, text: formatNumber(lang, rounded) };
}

/** A share in percent: 12.3%, 0.45%. */
export function share(value: number, { lang }: Context): Cell {
  if (value === 0 || value >= 0.01) return { value, text: formatShare(lang, value, 1) };
  const digits = Math.min(6, Math.max(1, 1 - Math.floor(Math.log10(100 * value))));
  return { value, text: formatShare(lang, value, digits) };
}

export const whole = (value: number, { number }: Context): Cell => ({ value, text: number(value) });

export const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/** A length in words. */
export const lengthOf = (length: number, { words }: Context): string => words("quality.lengthOf", { n: length });

/** 10 to 99; 1,000 or more. */
export function bandOf({ least, most }: { least: number; most: number | null }, { words, number }: Context): string {
  return most === null ? words("linked.orMore", { value: number(least) }) : words("estimate.range", { lower: least, upper: most });
}

/** Share of the combinations of some bands that are kept. */
export function kept(bands: readonly Band[]): number | null {
  const all = bands.reduce((sum, band) => sum + band.combinations, 0);
  return all === 0 ? null : 1 - bands.reduce((sum, band) => sum + band.combinations * band.lost, 0) / all;
}
