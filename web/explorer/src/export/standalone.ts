/** A drawing of the page as a picture of its own: styles inside it, with its title above and the promise below. */

import { isolated, s } from "../layout/dom";
import type { KeyItem } from "./figure";

/** Properties that a drawing takes from the page, and the value that need not be written. */
const PROPERTIES: readonly [string, string][] = [
  ["fill", "rgb(0, 0, 0)"],
  ["fill-opacity", "1"],
  ["stroke", "none"],
  ["stroke-width", "1px"],
  ["stroke-opacity", "1"],
  ["stroke-dasharray", "none"],
  ["stroke-linecap", "butt"],
  ["stroke-linejoin", "miter"],
  ["opacity", "1"],
  ["vector-effect", "none"],
  ["paint-order", "normal"],
];
const OF_TEXT: readonly [string, string][] = [
  ["font-family", ""],
  ["font-size", ""],
  ["font-weight", "400"],
  ["font-style", "normal"],
  ["text-anchor", "start"],
  ["direction", "ltr"],
];
const KEPT = /^(id|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|dx|dy|width|height|viewBox|points|transform|pattern\w*|clip\w*|marker\w*|ref[XY]|orient|href|offset|preserveAspectRatio)$/;
const PAD = 16;

/** Colours as hex: programs that draw SVG know no color-mix() nor color(). */
function plainColour(value: string): { colour: string; opacity: number } | null {
  if (!/^(rgb|color|ok|lab|lch|hsl|hwb)/.test(value)) return null;
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.canvas.width = context.canvas.height = 1;
  context.fillStyle = value;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data as unknown as [number, number, number, number];
  const colour = `#${[r, g, b].map((n) => n.toString(16).padStart(2, "0")).join("")}`;
  return { colour, opacity: a / 255 };
}

function settle(element: Element): boolean {
  const style = getComputedStyle(element);
  if (style.display === "none") return false;
  const isText = element instanceof SVGTextElement || element instanceof SVGTSpanElement;
  const values = new Map<string, string>();
  for (const [name, usual] of isText ? [...PROPERTIES, ...OF_TEXT] : PROPERTIES) {
    const value = style.getPropertyValue(name);
    if (value && value !== usual) values.set(name, value);
  }
  for (const paint of ["fill", "stroke"]) {
    const plain = plainColour(values.get(paint) ?? "");
    if (!plain) continue;
    values.set(paint, plain.opacity === 0 ? "none" : plain.colour);
    if (plain.opacity > 0 && plain.opacity < 1) {
      const before = Number(values.get(`${paint}-opacity`) ?? 1);
      values.set(`${paint}-opacity`, (before * plain.opacity).toFixed(3));
    }
  }
  const children = [...element.children].filter((child) => child.tagName === "title" || settle(child));
  for (const child of [...element.children]) if (!children.includes(child)) child.remove();
  for (const { name } of [...element.attributes]) if (!KEPT.test(name)) element.removeAttribute(name);
  for (const [name, value] of values) element.setAttribute(name, value.replace(/url\("(#[^"]+)"\)/, "url($1)"));
  return true;
}

/** Lines of at most `width` pixels, broken between words. */
export function wrap(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      const longer = line ? `${line} ${word}` : word;
      if (line && measure(longer) > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    if (line) lines.push(line);
  }
  return lines;
}

function measurer(size: number, weight: number, family: string): (text: string) => number {
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return (text) => 0.55 * size * text.length;
  context.font = `${weight} ${size}px ${family}`;
  return (text) => context.measureText(text).width;
}

/**
 * The drawing with title and footer on a ground of its own. It needs nothing of the page: no style, class or variable.
 *
 * white: on white with the colours of the light page, whatever the page has now. key: drawn below the drawing. subject: who is counted,
 * below the title.
 */
export function standalone(drawing: SVGSVGElement, title: string, footer: string, white: boolean, key: readonly KeyItem[] = [], subject = ""): SVGSVGElement {
  const root = document.documentElement;
  const host = document.createElement("div");
  host.className = "export-host";
  host.setAttribute("aria-hidden", "true");
  host.inert = true;
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const box = drawing.viewBox.baseVal;
  const width = box?.width || Number(drawing.getAttribute("width")) || drawing.getBoundingClientRect().width;
  const height = box?.height || Number(drawing.getAttribute("height")) || drawing.getBoundingClientRect().height;
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  host.append(copy);
  document.body.append(host);
  // For as long as styles are read, within one turn: nothing is painted meanwhile.
  const theme = root.dataset["theme"];
  if (white) root.dataset["theme"] = "light";
  try {
    const own = getComputedStyle(host);
    const family = own.fontFamily || "system-ui, sans-serif";
    const ink = plainColour(own.color)?.colour ?? "#000000";
    const paper = white ? "#ffffff" : (plainColour(own.backgroundColor)?.colour ?? "#ffffff");
    settle(copy);
    const wide = width + 2 * PAD;
    const texts: SVGElement[] = [];
    let y = PAD;
    const write = (text: string, size: number, weight: number): void => {
      // The promise may be in English on an Arabic page: a text goes the way of its own first letter.
      const right = /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(text);
      for (const line of wrap(text, width, measurer(size, weight, family))) {
        y += 1.35 * size;
        const made = s("text", {
          x: right ? wide - PAD : PAD,
          y: Math.round(y),
          direction: right ? "rtl" : "ltr",
          "font-size": size,
          "font-weight": weight,
          "font-family": family,
          fill: ink,
        });
        made.textContent = line;
        texts.push(made);
      }
    };
    write(title, 17, 600);
    if (subject !== "") write(subject, 13, 400);
    y += 12;
    copy.setAttribute("x", String(PAD));
    copy.setAttribute("y", String(Math.round(y)));
    y += height + 4;
    if (key.length > 0) {
      const measure = measurer(12, 400, family);
      let x = PAD;
      y += 18;
      for (const { shape, text } of key) {
        const sample = shape();
        host.append(sample);
        settle(sample);
        const room = 14 + 6 + measure(text) + 18;
        if (x > PAD && x + room > PAD + width) {
          x = PAD;
          y += 20;
        }
        sample.setAttribute("x", String(Math.round(x)));
        sample.setAttribute("y", String(Math.round(y - 11)));
        const name = s("text", { x: Math.round(x + 20), y: Math.round(y), "font-size": 12, "font-family": family, fill: ink });
        name.textContent = isolated(text);
        texts.push(sample, name);
        x += room;
      }
      y += 8;
    }
    write(footer, 11, 400);
    const high = Math.round(y + PAD);
    const name = s("title");
    name.textContent = title;
    return s(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, role: "img" },
      name,
      s("rect", { width: wide, height: high, fill: paper }),
      ...texts,
      copy,
    );
  } finally {
    host.remove();
    if (theme === undefined) delete root.dataset["theme"];
    else root.dataset["theme"] = theme;
  }
}
