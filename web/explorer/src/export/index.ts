/** Buttons that save a figure as SVG, PNG and CSV, each with the title and the promise of the release. */

import "./export.css";
import type { Key, Words } from "../i18n/index";
import { h } from "../layout/dom";
import { toCsv } from "./csv";
import type { Figure, PlainFigure } from "./figure";
import { fileName } from "./name";
import { pngBlob, save, svgBlob } from "./save";
import { standalone } from "./standalone";

export type { Figure, FigureRow, KeyItem, PlainFigure } from "./figure";

const KINDS = ["svg", "png", "csv"] as const;

export function figureButtons(figure: Figure | PlainFigure, footer: string, words: Words): HTMLElement {
  const status = h("span", { class: "export-status", role: "status" });
  const white = h("input", { type: "checkbox" });
  const file = async (kind: (typeof KINDS)[number]): Promise<Blob> => {
    if (kind === "csv") return new Blob([toCsv(figure, footer)], { type: "text/csv;charset=utf-8" });
    const picture = standalone(figure.svg(), figure.title, footer, white.checked, figure.key, figure.subject);
    return kind === "svg" ? svgBlob(picture) : pngBlob(picture);
  };
  const buttons = KINDS.map((kind) => {
    const text = words(`export.${kind}` satisfies Key);
    const button = h("button", { type: "button", "aria-label": `${text}: ${figure.title}`, title: text }, kind.toUpperCase());
    button.addEventListener("click", () => {
      const name = fileName(figure.file ?? figure.title, kind);
      file(kind)
        .then((content) => {
          save(content, name);
          status.textContent = words("export.saved", { file: name });
        })
        .catch(() => (status.textContent = words("export.failed")));
    });
    return button;
  });
  const label = words("export.label");
  return h(
    "div",
    { class: "export", role: "group", "aria-label": `${label}: ${figure.title}` },
    ...buttons,
    h("label", { class: "export-white" }, white, words("export.white")),
    status,
  );
}
