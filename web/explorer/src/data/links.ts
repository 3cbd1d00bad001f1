/** Counts across the link, found by what they count and by the values of one or two attributes. */

import { type Estimate, makeEstimate } from "../estimate";
import type { LinkData, Payload } from "../payload";

/** Whether the largest number of links stands for more, too: links above the cap were left out, and not refused. */
export function capStandsForMore({ statement }: Payload): boolean {
  const links = statement.document["links"] as Record<string, unknown> | null | undefined;
  return links != null && links["shared_by_at_most"] == null;
}

export class Links {
  private readonly found = new Map<string, number>();
  /** Attributes that occur, by what is counted. */
  private readonly attributes = new Map<string, Set<string>>();

  constructor(readonly data: LinkData) {
    data.combination.forEach((text, i) => {
      const of = data.of[i]!;
      const combination = JSON.parse(text) as Record<string, string>;
      const names = Object.keys(combination);
      this.found.set(key(of, combination), i);
      let known = this.attributes.get(of);
      if (!known) this.attributes.set(of, (known = new Set()));
      for (const name of names) known.add(name);
    });
  }

  /** The published count of `of` with these values; undefined where it was not published. */
  find(of: string, combination: Record<string, string>): Estimate | undefined {
    const i = this.found.get(key(of, combination));
    if (i === undefined) return undefined;
    const { count, lower, upper } = this.data;
    return makeEstimate(count[i]!, lower[i]!, upper[i]!, "published");
  }

  has(of: string, attribute: string): boolean {
    return this.attributes.get(of)?.has(attribute) ?? false;
  }

  /** The attribute that says how many links a record has, as its name ends on the linked table's; null without. */
  get number(): string | null {
    for (const name of this.attributes.get("victims") ?? this.attributes.get(this.data.to) ?? []) {
      if (name.startsWith("number of ")) return name;
    }
    return null;
  }

  /** What the number of links is counted of. */
  get whole(): string {
    return this.attributes.has(this.data.to) ? this.data.to : "victims";
  }

  /** Values of the number of links, in order. */
  numbers(): string[] {
    const name = this.number;
    if (name === null) return [];
    const values = new Set<string>();
    this.data.combination.forEach((text, i) => {
      if (this.data.of[i] !== this.whole || !text.includes(name)) return;
      const value = (JSON.parse(text) as Record<string, string>)[name];
      if (value !== undefined) values.add(value);
    });
    return [...values].sort((a, b) => parseFloat(a) - parseFloat(b));
  }
}

function key(of: string, combination: Record<string, string>): string {
  const parts = Object.entries(combination).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([of, parts]);
}
