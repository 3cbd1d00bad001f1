import { beforeEach, expect, test } from "vitest";
import { App } from "../src/app";
import type { Bytes, Name } from "../src/contract";
import { changePromise } from "../src/draft/change";
import { type Answer, type Engine, type Fields, Refused } from "../src/engine/engine";
import { Alone } from "../src/keep/alone";
import type { Kept, Ledgers } from "../src/keep/ledgers";
import { type Fake, fake } from "./fake";

class FakeLedgers {
  events: string[] = [];
  kept = new Map<string, Kept>();
  async put(kept: Kept): Promise<void> {
    await Promise.resolve();
    this.kept.set(kept.id, kept);
    this.events.push("kept");
  }
  async all(): Promise<Kept[]> {
    return [...this.kept.values()];
  }
  async forget(id: string): Promise<void> {
    this.kept.delete(id);
  }
}

class FakeEngine implements Engine {
  forgets = false;
  hold: Promise<void> | null = null;
  charged: ((ledger: Bytes) => void) | null = null;
  private stop: (() => void) | null = null;
  constructor(
    readonly fake: Fake,
    private readonly events: string[],
  ) {}
  async ask<N extends Name>(name: N, fields: Fields<N>): Promise<Answer<N>> {
    const answer = this.fake.answer(name, fields);
    if (name === "release") this.charged?.(this.fake.answer("ledger_file", {}));
    if (this.hold && (name === "release" || name === "rehearse")) {
      await new Promise<void>((_, reject) => {
        this.stop = () => reject(new Refused("Cancelled.", "cancelled"));
      });
    }
    this.events.push(name);
    return answer;
  }
  async cancel(): Promise<boolean> {
    this.stop?.();
    this.hold = null;
    return this.forgets;
  }
}

let ledgers: FakeLedgers;
let engine: FakeEngine;
let app: App;

/** Whether another tab holds the ledgers. */
let elsewhere = false;

beforeEach(async () => {
  elsewhere = false;
  ledgers = new FakeLedgers();
  engine = new FakeEngine(fake(), ledgers.events);
  app = new App(engine, ledgers as unknown as Ledgers, (key) => key, { take: async () => !elsewhere } as Alone);
  engine.charged = (ledger) => app.charged(ledger);
  await app.begin();
  await app.open({ files: [{ name: "cases.csv", bytes: new Uint8Array([1]) }] });
});

test("a ledger is on the device before the release that it pays for is shown", async () => {
  let shown = false;
  app.onChange(() => {
    if (app.made.length > 0 && !shown) {
      shown = true;
      expect(new TextDecoder().decode([...ledgers.kept.values()][0]!.bytes)).toBe("spent 1");
      expect([...ledgers.kept.values()][0]!.saved).toBe(false);
    }
  });
  await app.make("release", "first");
  expect(shown).toBe(true);
  expect(app.unsaved).toBe(true);
});

test("nothing is unsaved once bundle, ledger and plan are", async () => {
  expect(app.unsaved).toBe(false);
  await app.make("release", "first");
  app.made[0]!.saved = true;
  expect(app.unsaved).toBe(true);
  await app.ledgerFile();
  expect([app.unsaved, [...ledgers.kept.values()][0]!.saved]).toEqual([false, true]);
  app.change(changePromise(app.draft!, { epsilon: 2 }));
  expect(app.unsaved).toBe(true);
  await app.plan();
  expect(app.unsaved).toBe(false);
});

test("a rehearsal charges nothing and has no bundle", async () => {
  await app.make("rehearse", "try");
  expect([app.made[0]!.bundle, engine.fake.spent, app.unsaved]).toEqual([null, 0, false]);
});

test("a cancelled release keeps its charge, and an engine that forgot gets files and ledger again", async () => {
  await app.make("release", "kept");
  engine.hold = Promise.resolve();
  engine.forgets = true;
  const making = app.make("release", "cancelled");
  await new Promise((done) => setTimeout(done));
  expect(app.busy!.what).toBe("release");
  engine.fake.asked.length = 0;
  await app.cancel();
  await making;
  expect(engine.fake.asked).toEqual(["open", "ledger_open"]);
  expect([app.cancelled, app.busy, app.problem, app.made.length]).toEqual([true, null, null, 1]);
  expect(new TextDecoder().decode([...ledgers.kept.values()][0]!.bytes)).toBe("spent 2");
  expect([app.comparable.length, app.made[0]!.bundle !== null]).toEqual([0, true]);
});

test("a refused request leaves the engine's sentence and nothing else", async () => {
  engine.fake.answer = () => {
    throw new Refused("cases.csv is no table.", "input");
  };
  const before = app.draft;
  await app.open({ files: [{ name: "x.csv", bytes: new Uint8Array() }] });
  expect([app.problem, app.draft, app.busy]).toEqual(["cases.csv is no table.", before, null]);
});

test("undo goes back over decisions, and another file starts anew", async () => {
  app.change(changePromise(app.draft!, { epsilon: 2 }));
  app.undo();
  expect([app.draft!.promise.epsilon, app.history.canRedo]).toEqual([1, true]);
  app.redo();
  await app.open({ example: false });
  expect([app.draft!.promise.epsilon, app.history.canUndo]).toEqual([1, false]);
});

test("ledgers that were begun apart are kept apart, and one that is used again stays one", async () => {
  await app.make("release", "first");
  await app.openLedger(null);
  await app.make("release", "of other people");
  expect(app.kept.length).toBe(2);
  const kept = app.kept[0]!;
  await app.openLedger({ name: kept.name, bytes: kept.bytes }, kept.id);
  await app.make("release", "again");
  expect(app.kept.length).toBe(2);
});

test("an engine that cannot get its ledger back has no file either, so that nothing is released without", async () => {
  await app.make("release", "kept");
  engine.hold = Promise.resolve();
  engine.forgets = true;
  const making = app.make("release", "cancelled");
  await new Promise((done) => setTimeout(done));
  const answer = engine.fake.answer;
  engine.fake.answer = (name, fields) => {
    if (name === "ledger_open") throw new Refused("The file is no ledger.", "input");
    return answer(name, fields);
  };
  await app.cancel();
  await making;
  expect([app.draft, app.opened, app.problem, app.kept.length]).toEqual([null, null, "The file is no ledger.", 1]);
});

test("while another tab holds the ledgers nothing is charged here and none is opened", async () => {
  elsewhere = true;
  await app.make("release", "first");
  expect(app.problem).toContain("ledger.elsewhere");
  expect(ledgers.events).not.toContain("release");
  app.problem = null;
  await app.openLedger(null);
  expect(app.problem).toContain("ledger.elsewhere");
  expect(ledgers.events).not.toContain("ledger_open");
  elsewhere = false;
  await app.make("release", "first");
  expect(app.made).toHaveLength(1);
});

test("a kept ledger is read again when it is used: another tab may have charged it", async () => {
  const old = { id: "a", name: "cases.caseveil", bytes: new Uint8Array([1]), at: 1, saved: true };
  await ledgers.put({ ...old, bytes: new Uint8Array([1, 2]), at: 2 });
  const asked: unknown[] = [];
  const ask = engine.ask.bind(engine);
  engine.ask = (name, fields) => (asked.push(fields), ask(name, fields));
  await app.openLedger({ name: old.name, bytes: old.bytes }, old.id);
  expect(asked[0]).toMatchObject({ file: { bytes: new Uint8Array([1, 2]) } });
});

test("the first tab holds the ledgers, and the next one once it is closed", async () => {
  let close = (): void => undefined;
  let free = true;
  const locks = {
    request: async (_: string, __: LockOptions, callback: (lock: Lock | null) => Promise<void> | void) => {
      if (!free) return callback(null);
      free = false;
      await Promise.race([callback({} as Lock), new Promise<void>((done) => (close = done))]);
      free = true;
    },
  } as unknown as LockManager;
  const [one, other] = [new Alone(locks), new Alone(locks)];
  expect([await one.take(), await other.take(), await one.take()]).toEqual([true, false, true]);
  close();
  await Promise.resolve();
  await Promise.resolve();
  expect(await other.take()).toBe(true);
});
