/** A figure as the three ways of saving it see it. */

import type { Estimate } from "../estimate";

export interface FigureRow {
  /** One text for each of the figure's heads. */
  labels: readonly string[];
  estimate: Estimate;
}

export interface Figure {
  title: string;
  /** Heads of the columns that name a row: one, or two for a figure of pairs. */
  heads: readonly string[];
  /** The drawing, in the page or newly made; it is copied, never changed. */
  svg: () => SVGSVGElement;
  rows: () => readonly FigureRow[];
}
