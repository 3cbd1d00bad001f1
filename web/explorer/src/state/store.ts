/** The current view, kept in the page's address, so that Back, Forward, bookmarks and shared links work. */

import { fromFragment, toFragment, type View, type Vocabulary } from "./view";

export class Store {
  view: View;
  /** Parts of the address that the release does not have. */
  unknown: number;
  /** Steps from the first view that this page made. */
  private depth: number;
  private furthest: number;
  private readonly listeners: ((view: View, before: View) => void)[] = [];

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly window: Window,
  ) {
    ({ view: this.view, unknown: this.unknown } = this.parse());
    this.depth = this.here();
    this.furthest = this.depth;
    // Both events come with Back and with a typed address; the second finds nothing changed.
    for (const event of ["popstate", "hashchange"]) window.addEventListener(event, () => this.arrive());
  }

  onChange(listener: (view: View, before: View) => void): void {
    this.listeners.push(listener);
  }

  get canGoBack(): boolean {
    return this.depth > 0;
  }

  get canGoForward(): boolean {
    return this.depth < this.furthest;
  }

  back(): void {
    if (this.canGoBack) this.window.history.back();
  }

  forward(): void {
    if (this.canGoForward) this.window.history.forward();
  }

  /** Fragment of a view, with '#'. */
  address(view: View): string {
    return `#${toFragment(view, this.vocabulary)}`;
  }

  set(view: View): void {
    const before = this.view;
    if (this.address(view) === this.address(before)) return;
    this.depth++;
    this.furthest = this.depth;
    this.window.history.pushState({ depth: this.depth }, "", this.address(view));
    this.view = view;
    this.unknown = 0;
    this.tell(before);
  }

  private parse(): { view: View; unknown: number } {
    return fromFragment(this.window.location.hash.slice(1), this.vocabulary);
  }

  private here(): number {
    const state = this.window.history.state as { depth?: number } | null;
    return state?.depth ?? 0;
  }

  private arrive(): void {
    const before = this.view;
    const parsed = this.parse();
    this.depth = this.here();
    if (this.address(parsed.view) === this.address(before) && parsed.unknown === this.unknown) return;
    this.view = parsed.view;
    this.unknown = parsed.unknown;
    this.tell(before);
  }

  private tell(before: View): void {
    for (const listener of this.listeners) listener(this.view, before);
  }
}
