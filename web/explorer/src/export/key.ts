/** Keys of figures: shapes with what they stand for, on the page and in pictures that are saved. */

import type { Estimate } from "../estimate";
import { formatShare } from "../i18n/index";
import type { Context } from "../layout/context";
import { h, s } from "../layout/dom";
import type { KeyItem } from "./figure";

/** A part of a key: one path in 14 by 14 units. */
export function keyItem(text: string, path: string, paint: { fill?: string; stroke?: string; width?: number; opacity?: number; dashes?: string }): KeyItem {
  const { fill = "none", stroke = "none", width = 1.6, opacity = 1, dashes = "none" } = paint;
  const shape = (): SVGSVGElement =>
    s(
      "svg",
      { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" },
      s("path", { d: path, fill, stroke, "stroke-width": width, "stroke-opacity": opacity, "stroke-dasharray": dashes }),
    );
  return { shape, text };
}

/** Shapes of keys, as the drawings have them. */
export const SHAPES = {
  circle: "M7 2a5 5 0 1 0 .01 0Z",
  square: "M2.5 2.5h9v9h-9Z",
  triangle: "M7 1.5 12.5 12h-11Z",
  diamond2: "M7 1 13 7 7 13 1 7Z",
  times: "M3 3 11 11M11 3 3 11",
  box: "M1 1h12v12h-12Z",
  band: "M0 7h14",
  interval: "M1 7h12M1 3v8M13 3v8",
  hatched: "M1 1h12v12h-12ZM1 7 7 1M1 13 13 1M7 13 13 7",
  arrow: "M0 7h9M8 3 13 7 8 11Z",
} as const;

/** What the marks of a figure of counts may be, as far as it has them. interval: it draws them as lines. */
export function keyOfCounts(estimates: readonly Estimate[], { words, lang, level }: Context, interval = true): KeyItem[] {
  const told = estimates.filter((estimate) => !estimate.few);
  const of = (source: Estimate["source"]): boolean => told.some((estimate) => estimate.source === source);
  return [
    ...(of("published") ? [keyItem(words("source.published"), SHAPES.box, { fill: "var(--accent)", stroke: "var(--accent)" })] : []),
    ...(of("records") ? [keyItem(`≈ ${words("source.records")}`, SHAPES.box, { fill: "var(--accent-soft)", stroke: "var(--accent)" })] : []),
    ...(interval && told.length > 0 ? [keyItem(words("key.interval", { level: formatShare(lang, level, 1) }), SHAPES.interval, { stroke: "var(--ink)" })] : []),
    ...(told.length < estimates.length ? [keyFew(words("estimate.few"))] : []),
  ];
}

export function keyFew(text: string): KeyItem {
  return keyItem(text, SHAPES.hatched, { stroke: "var(--few)", width: 1 });
}

export function keyLine(key: readonly KeyItem[]): HTMLElement | null {
  return key.length === 0 ? null : h("p", { class: "key" }, ...key.map(({ shape, text }) => h("span", {}, shape(), text)));
}
