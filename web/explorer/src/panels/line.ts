/** A line with its band behind columns of marks, all of the same width. It breaks where a count is too few to tell. */

import type { Estimate } from "../estimate";
import { s } from "../layout/dom";

const HEIGHT = 100;

/** Runs of neighbours that can be joined by a line. */
export function runs(estimates: readonly Estimate[]): number[][] {
  const found: number[][] = [];
  let run: number[] = [];
  estimates.forEach((estimate, i) => {
    if (estimate.few) {
      if (run.length > 0) found.push(run);
      run = [];
    } else run.push(i);
  });
  if (run.length > 0) found.push(run);
  return found;
}

/** Paths in a box of as many units as there are marks, and 100 high: a mark's middle is at its position plus a half. */
export function paths(estimates: readonly Estimate[], scale: number): { line: string; band: string } {
  const y = (n: number): string => (HEIGHT * (1 - Math.min(1, n / scale))).toFixed(2);
  let line = "";
  let band = "";
  for (const run of runs(estimates)) {
    const point = (i: number, n: number): string => `${i + 0.5},${y(n)}`;
    line += `M${run.map((i) => point(i, estimates[i]!.count)).join("L")}`;
    const above = run.map((i) => point(i, estimates[i]!.upper));
    const below = run.map((i) => point(i, estimates[i]!.lower)).reverse();
    if (run.length > 1) band += `M${[...above, ...below].join("L")}Z`;
  }
  return { line, band };
}

export class Line {
  readonly element: SVGSVGElement;
  private readonly line = s("path", { class: "time-line", "vector-effect": "non-scaling-stroke" });
  private readonly band = s("path", { class: "time-band" });

  constructor(marks: number) {
    this.element = s(
      "svg",
      { class: "time", viewBox: `0 0 ${marks} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
      this.band,
      this.line,
    );
  }

  update(estimates: readonly Estimate[], scale: number): void {
    const { line, band } = paths(estimates, scale);
    this.line.setAttribute("d", line);
    this.band.setAttribute("d", band);
  }
}
