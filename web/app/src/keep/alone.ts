/** At most one tab of this application charges ledgers: the first that opens one, until it is closed. */

const NAME = "caseveil-ledgers";

export class Alone {
  private held: Promise<boolean> | null = null;

  constructor(private readonly locks: Pick<LockManager, "request"> | undefined = globalThis.navigator?.locks) {}

  /** Whether this tab holds the ledgers. Asked again, it tries again; once held, they are held until the tab closes. */
  async take(): Promise<boolean> {
    // A page that is served without a secure connection has no locks, and no store to share either.
    const { locks } = this;
    if (!locks) return true;
    this.held ??= new Promise((resolve, reject) => {
      const holding = (lock: Lock | null): Promise<void> | void => {
        resolve(lock !== null);
        if (lock) return new Promise(() => undefined);
      };
      locks.request(NAME, { ifAvailable: true }, holding).catch(reject);
    });
    const held = await this.held;
    if (!held) this.held = null;
    return held;
  }
}
