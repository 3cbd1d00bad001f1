/**
 * Ledgers kept on this device, so that a crash, a cancelled run or a closed tab forgets no charge.
 *
 * A ledger holds what was spent and for which release, no row and no cell.
 */

import type { Bytes } from "../contract";

export interface Kept extends Bytes {
  /** One for each ledger: two that were begun apart may have the same name, and neither may take the other's place. */
  id: string;
  /** When the last charge was written, milliseconds since 1970. */
  at: number;
  /** Whether the steward saved the file since. */
  saved: boolean;
}

const NAME = "caseveil";
const STORE = "ledgers";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the device keeps nothing"));
  });
}

export class Ledgers {
  private opened: Promise<IDBDatabase> | null = null;

  constructor(private readonly factory: IDBFactory = indexedDB) {}

  private base(): Promise<IDBDatabase> {
    return (this.opened ??= new Promise((resolve, reject) => {
      const request = this.factory.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("the device keeps nothing"));
    }));
  }

  /** Resolves when it is on the disk, not before. */
  async put(kept: Kept): Promise<void> {
    const work = (await this.base()).transaction(STORE, "readwrite", { durability: "strict" });
    work.objectStore(STORE).put(kept);
    await new Promise<void>((resolve, reject) => {
      work.oncomplete = () => resolve();
      work.onerror = work.onabort = () => reject(work.error ?? new Error("the device keeps nothing"));
    });
  }

  /** Newest first. */
  async all(): Promise<Kept[]> {
    const store = (await this.base()).transaction(STORE).objectStore(STORE);
    return ((await done(store.getAll())) as Kept[]).sort((a, b) => b.at - a.at);
  }

  async forget(id: string): Promise<void> {
    await done((await this.base()).transaction(STORE, "readwrite").objectStore(STORE).delete(id));
  }
}
