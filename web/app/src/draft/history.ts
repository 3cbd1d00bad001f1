/** Every decision can be taken back: older drafts, and those that were taken back. */

const MOST = 200;

export class History<T> {
  private past: T[] = [];
  private future: T[] = [];

  constructor(private present: T | null = null) {}

  get now(): T | null {
    return this.present;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** False where nothing changed. */
  set(next: T): boolean {
    if (this.present !== null && JSON.stringify(next) === JSON.stringify(this.present)) return false;
    if (this.present !== null) this.past = [...this.past, this.present].slice(-MOST);
    this.present = next;
    this.future = [];
    return true;
  }

  /** Another file: decisions about the one before make no sense for it. */
  reset(next: T | null): void {
    this.past = [];
    this.future = [];
    this.present = next;
  }

  undo(): void {
    if (!this.canUndo) return;
    this.future.push(this.present!);
    this.present = this.past.pop()!;
  }

  redo(): void {
    if (!this.canRedo) return;
    this.past.push(this.present!);
    this.present = this.future.pop()!;
  }
}
