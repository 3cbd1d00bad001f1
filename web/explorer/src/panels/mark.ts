/** One value of a column: a button with its label, its bar, its interval and its number. */

import type { Estimate } from "../estimate";
import { h, setText } from "../layout/dom";
import type { Context } from "../layout/context";

/** The same number as one sentence, for readers who hear it and for the line below a panel. */
export function spoken(label: string, estimate: Estimate, context: Context): string {
  const { words } = context;
  const source = words(`source.${estimate.source}`);
  return estimate.few
    ? words("estimate.markFew", { value: label, upper: estimate.upper, source })
    : words("estimate.mark", { value: label, count: estimate.count, lower: estimate.lower, upper: estimate.upper, source });
}

/** A short form of the number: about, when it comes from records. */
export function short(estimate: Estimate, context: Context): string {
  if (estimate.few) return context.words("estimate.few");
  return `${estimate.source === "records" ? "≈\u2009" : ""}${context.number(estimate.count)}`;
}

export class Mark {
  readonly element: HTMLButtonElement;
  estimate: Estimate | null = null;
  private readonly track: HTMLElement;
  private readonly figure: HTMLElement;

  constructor(
    /** Position of the value in its column; -1 is blank. */
    readonly value: number,
    readonly label: string,
    private readonly context: Context,
  ) {
    this.track = h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "bar" }), h("span", { class: "whisker" }));
    this.figure = h("span", { class: "mark-number" });
    this.element = h(
      "button",
      { type: "button", class: value < 0 ? "mark blank" : "mark", tabindex: "-1", "data-value": String(value) },
      h("span", { class: "mark-label", dir: "auto" }, label),
      this.track,
      this.figure,
    );
  }

  /** scale: the number at the end of the track. */
  update(estimate: Estimate, scale: number, chosen: boolean): void {
    this.estimate = estimate;
    const share = (n: number): string => `${(100 * Math.min(1, n / scale)).toFixed(3)}%`;
    const { style } = this.track;
    style.setProperty("--count", share(estimate.few ? estimate.upper : estimate.count));
    style.setProperty("--lower", share(estimate.few ? 0 : estimate.lower));
    style.setProperty("--upper", share(estimate.upper));
    const { element } = this;
    element.dataset["source"] = estimate.source;
    element.classList.toggle("few", estimate.few);
    element.setAttribute("aria-pressed", String(chosen));
    element.setAttribute("aria-label", spoken(this.label, estimate, this.context));
    setText(this.figure, short(estimate, this.context));
  }
}

/** The number at the end of all tracks of a panel. */
export function scaleOf(estimates: Iterable<Estimate>): number {
  let most = 1;
  for (const estimate of estimates) most = Math.max(most, estimate.count, estimate.upper);
  return most;
}
