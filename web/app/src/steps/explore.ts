/** Explore: the explorer of a run, in place. */

import type { Made } from "../app";
import { choice, field, h, type Kit, next } from "../ui/kit";

/** The frame stays while the page around it is drawn anew: it would lose what the reader looks at. */
let frame: { id: string; element: HTMLIFrameElement } | null = null;

export function exploreStep(kit: Kit): HTMLElement[] {
  const { app, words } = kit;
  const made = shown(kit)!;
  const pick = choice(made.id, app.made.map(({ id, run }) => [id, run.label] as const), (id) => {
    app.shown = id;
    app.tell();
  });
  return [
    h("p", { class: "lead" }, words("explore.lead")),
    h("div", { class: "fields" }, field("shown", words("explore.run"), pick)),
    ...(made.run.of === "twin" ? [h("p", { class: "notice" }, words("explore.twin"))] : []),
    view(kit, made),
    next(kit, "publish"),
  ];
}

export function shown(kit: Kit): Made | undefined {
  return kit.app.made.find(({ id }) => id === kit.app.shown) ?? kit.app.made.at(-1);
}

/**
 * The page comes as a file that this page made, with this page's policy and its own, without its origin: it can read
 * nothing here.
 */
function view(kit: Kit, made: Made): HTMLIFrameElement {
  if (frame?.id !== made.id) {
    if (frame) URL.revokeObjectURL(frame.element.src.split("#")[0]!);
    const element = h("iframe", { class: "explorer", sandbox: "allow-scripts allow-downloads" });
    element.src = URL.createObjectURL(new Blob([made.html], { type: "text/html" }));
    frame = { id: made.id, element };
  }
  frame.element.title = kit.words("explore.frame", { run: made.run.label });
  return frame.element;
}
