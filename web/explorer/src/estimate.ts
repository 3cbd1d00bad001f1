/** One honest number: a count, its 95% interval, and where it comes from. */

export interface Estimate {
  count: number;
  lower: number;
  upper: number;
  /** A published count (or a sum of such), or a count in the synthetic records. */
  source: "published" | "records";
  /** The interval reaches zero, or the count is below its own half-width: not to be drawn as a solid bar. */
  few: boolean;
}

export function makeEstimate(count: number, lower: number, upper: number, source: Estimate["source"]): Estimate {
  const low = Math.max(0, lower);
  return { count, lower: low, upper, source, few: low <= 0 || count < (upper - low) / 2 };
}
