/** Pieces that the linked drawings share. Colours are the page's variables alone. */

import type { Context } from "../layout/context";
import { s } from "../layout/dom";

let made = 0;

export function uid(name: string): string {
  return `${name}-${++made}`;
}

/** Lines across a shape whose count is too few to tell. */
export function hatch(id: string): SVGElement {
  return s(
    "defs",
    {},
    s(
      "pattern",
      { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("line", { x1: 0, y1: 0, x2: 0, y2: 6, stroke: "var(--few)", "stroke-width": 1.5 }),
    ),
  );
}

let pen: CanvasRenderingContext2D | null | undefined;

/** Width of a text of this size in the page's letters, in pixels; a rough one where the browser does not measure. */
export function widthOf(text: string, size: number): number {
  if (pen === undefined) {
    pen = document.createElement("canvas").getContext?.("2d") ?? null;
    if (pen) pen.font = `100px ${getComputedStyle(document.body).fontFamily}`;
  }
  return pen ? (size / 100) * pen.measureText(text).width + 1 : 0.56 * size * [...text].length;
}

/** The text, or its beginning where it would be wider. */
export function cut(text: string, width: number, size: number): string {
  if (widthOf(text, size) <= width) return text;
  const letters = [...text];
  do letters.pop();
  while (letters.length > 1 && widthOf(`${letters.join("")}…`, size) > width);
  return `${letters.join("").trimEnd()}…`;
}

/** A text whose `side` end stands at x: "left" and "right" are those of the screen in every language. */
export function label(
  context: Context,
  text: string,
  at: { x: number; y: number; side: "left" | "middle" | "right" },
  attributes: Record<string, string | number> = {},
): SVGTextElement {
  // "start" of a right-to-left text is its right end.
  const sides = context.dir === "rtl" ? { left: "end", right: "start" } : { left: "start", right: "end" };
  const anchor = at.side === "middle" ? "middle" : sides[at.side];
  const element = s("text", {
    x: at.x,
    y: at.y,
    "text-anchor": anchor,
    direction: context.dir,
    "font-size": 13,
    fill: "var(--ink)",
    ...attributes,
  });
  element.textContent = text;
  return element;
}

export function drawing(width: number, height: number, name: string, ...children: Node[]): SVGSVGElement {
  const size = { width: Math.round(width), height: Math.round(height) };
  return s(
    "svg",
    {
      ...size,
      viewBox: `0 0 ${size.width} ${size.height}`,
      role: "group",
      "aria-label": name,
      class: "linked-drawing",
    },
    ...children,
  );
}
