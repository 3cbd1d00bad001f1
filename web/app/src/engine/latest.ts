/** Live questions: one at a time, and of those that wait only the newest is asked. */

export class Latest {
  private running = false;
  private next: (() => Promise<void>) | null = null;

  /** `then` gets the answer unless something newer was asked meanwhile. Errors go to `fail` by the same rule. */
  ask<T>(question: () => Promise<T>, then: (answer: T) => void, fail: (error: unknown) => void): void {
    this.next = async () => {
      try {
        const answer = await question();
        if (!this.next) then(answer);
      } catch (error) {
        if (!this.next) fail(error);
      }
    };
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.next) {
      const now = this.next;
      this.next = null;
      await now();
    }
    this.running = false;
  }
}
