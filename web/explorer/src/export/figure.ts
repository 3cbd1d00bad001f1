/** A figure as the three ways of saving it see it. */

import type { Estimate } from "../estimate";

export interface FigureRow {
  /** One text for each of the figure's heads. */
  labels: readonly string[];
  estimate: Estimate;
}

/** A shape of a drawing, in 14 by 14 units, and what it stands for. */
export interface KeyItem {
  shape: () => SVGSVGElement;
  text: string;
}

interface Drawn {
  title: string;
  /** Who is counted, where the page says so beside the drawing: below the title when saved. */
  subject?: string | undefined;
  /** Title of the files, where it is another one. */
  file?: string;
  /** The drawing, in the page or newly made; it is copied, never changed. */
  svg: () => SVGSVGElement;
  /** What stands beside the drawing on the page and has to be in its picture. */
  key?: readonly KeyItem[];
}

/** A figure of counts. */
export interface Figure extends Drawn {
  /** Heads of the columns that name a row: one, or two for a figure of pairs. */
  heads: readonly string[];
  rows: () => readonly FigureRow[];
}

/** A figure of other numbers: its table as it is. */
export interface PlainFigure extends Drawn {
  heads: readonly string[];
  /** A text for each head; numbers plain. */
  cells: () => readonly (readonly string[])[];
}
