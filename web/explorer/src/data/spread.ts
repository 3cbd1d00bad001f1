/** How far a count in the records may lie from the truth, by its size. */

import type { Estimate } from "../estimate";
import { makeEstimate } from "../estimate";
import type { Spread } from "../payload";

/**
 * Half-width at a count: between the given sizes by the logarithm of size, beyond the first and the last the nearest,
 * infinite where nothing was published to learn it from (as in release/spread.py).
 */
export function halfWidth(spread: Spread, count: number): number {
  const { size, half } = spread;
  if (size.length === 0) return Infinity;
  let high = size.findIndex((s) => s >= count);
  if (high < 0) high = size.length - 1;
  const low = Math.max(0, high - 1);
  const [a, b] = [Math.log(size[low]!), Math.log(size[high]!)];
  const share = b > a ? Math.min(1, Math.max(0, (Math.log(Math.max(count, 1)) - a) / (b - a))) : 1;
  return half[low]! + share * (half[high]! - half[low]!);
}

/** The estimate that a count in the records gives. rows: all records, the end of an interval that has none. */
export function fromRecords(count: number, spread: Spread, rows: number): Estimate {
  const half = halfWidth(spread, count);
  return makeEstimate(count, Math.max(0, Math.floor(count - half)), half === Infinity ? rows : Math.ceil(count + half), "records");
}
