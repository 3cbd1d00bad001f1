/** What the application knows and can do. Steps show it; they hold nothing of their own that must survive. */

import type { Bytes, ColumnView, Comparison, Draft, Forecast, LedgerView, Opened, Prepared, Progress, Remark, Requests, Risk, Run } from "./contract";
import { History } from "./draft/history";
import { type Engine, Refused } from "./engine/engine";
import { Latest } from "./engine/latest";
import { Alone } from "./keep/alone";
import { type Kept, Ledgers } from "./keep/ledgers";

export const STEPS = ["open", "prepare", "risk", "promise", "make", "explore", "publish"] as const;
export type Step = (typeof STEPS)[number];

export interface Made {
  /** Unlike the engine's own ids, never used twice. */
  readonly id: string;
  readonly run: Run;
  readonly draft: Draft;
  readonly html: string;
  readonly bundle: Bytes | null;
  /** Which start of the engine it was made in: another one knows it no more. */
  readonly start: number;
  saved: boolean;
}

export interface Busy {
  what: "open" | "rehearse" | "release" | "compare" | "report";
  progress: Progress | null;
}

type Source = { files: Bytes[] } | { example: boolean };

/** Answers that follow the draft, with the question that they answer. */
interface Live {
  prepared: Prepared;
  column: ColumnView;
  risk: Risk;
  forecast: Forecast;
  ledger: LedgerView;
  check: { remarks: Remark[] };
}

export class App {
  step: Step = "open";
  hello: Requests["hello"][1] | null = null;
  loading: "python" | "numbers" | "caseveil" | null = "python";
  problem: string | null = null;
  opened: Opened | null = null;
  busy: Busy | null = null;
  made: Made[] = [];
  shown: string | null = null;
  comparison: Comparison | null = null;
  kept: Kept[] = [];
  /** Whether charges were made that no file of the steward's has. */
  ledgerSaved = true;
  /** Set after a cancelled run, until the next. */
  cancelled = false;
  table = "";
  column = "";
  k = 10;
  length = 3;
  attacks = false;
  /** Name of the next run, where the steward gave it one. */
  label: string | null = null;

  readonly history = new History<Draft>();
  private source: Source | null = null;
  private ledger: Bytes | null = null;
  private start = 1;
  private ledgerId: string = crypto.randomUUID();
  private keeping: Promise<void> = Promise.resolve();
  /** While an engine that was started anew gets its files and ledger back, nothing else may be asked of it. */
  private restoring: Promise<void> | null = null;
  private planSaved: string | null = null;
  private readonly answers: Partial<{ [K in keyof Live]: { key: string; value: Live[K] | null } }> = {};
  private readonly latest: { [K in keyof Live]: Latest } = {
    prepared: new Latest(), column: new Latest(), risk: new Latest(), forecast: new Latest(), ledger: new Latest(), check: new Latest(),
  };
  private readonly listeners: (() => void)[] = [];

  constructor(
    readonly engine: Engine,
    private readonly ledgers: Ledgers,
    private readonly say: (key: "engine.broken" | "make.cancelled" | "ledger.elsewhere") => string,
    private readonly alone: Alone = new Alone(),
  ) {}

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Ledgers kept on this device but the one in use. */
  get keptBefore(): Kept[] {
    return this.kept.filter((one) => one.id !== this.ledgerId);
  }

  get draft(): Draft | null {
    return this.history.now;
  }

  async begin(): Promise<void> {
    this.kept = await this.ledgers.all().catch(() => []);
    this.tell();
    await this.attempt(async () => {
      this.hello = await this.engine.ask("hello", {});
    });
    this.loading = null;
    this.tell();
  }

  go(step: Step): void {
    this.step = step;
    this.problem = null;
    this.tell();
  }

  change(draft: Draft | null): void {
    if (draft && this.history.set(draft)) this.changed();
  }

  undo(): void {
    this.history.undo();
    this.changed();
  }

  redo(): void {
    this.history.redo();
    this.changed();
  }

  private changed(): void {
    this.problem = null;
    const tables = this.draft?.tables ?? [];
    const table = tables.find((one) => one.name === this.table) ?? tables[0];
    this.table = table?.name ?? "";
    if (table && !table.columns.some((one) => one.name === this.column)) this.column = table.columns[0]?.name ?? "";
    this.tell();
  }

  // Files

  async open(source: Source): Promise<void> {
    await this.work("open", async (progress) => {
      const opened = await this.ask(source, progress);
      this.source = source;
      this.opened = opened;
      this.history.reset(opened.draft);
      this.planSaved = JSON.stringify(opened.draft);
      this.made = [];
      this.comparison = null;
      this.table = "";
      this.column = "";
      this.changed();
    });
  }

  private ask(source: Source, progress?: (now: Progress) => void): Promise<Opened> {
    return "files" in source ? this.engine.ask("open", source, progress) : this.engine.ask("example", { linked: source.example }, progress);
  }

  /** The files already open, to which another is added. */
  get files(): Bytes[] {
    return this.source && "files" in this.source ? this.source.files : [];
  }

  async openPlan(toml: string): Promise<void> {
    await this.attempt(async () => this.change((await this.engine.ask("from_toml", { toml })).draft));
  }

  async plan(): Promise<string | null> {
    let text: string | null = null;
    await this.attempt(async () => {
      text = (await this.engine.ask("to_toml", { draft: this.draft! })).toml;
      this.planSaved = JSON.stringify(this.draft);
    });
    this.tell();
    return text;
  }

  // Answers that follow the draft

  /** What the engine last said; asks anew where the question changed. Old answers stay until new ones come. */
  live<K extends keyof Live>(kind: K, question: object, ask: () => Promise<Live[K]>): Live[K] | null {
    const key = JSON.stringify(question);
    const before = this.answers[kind];
    if (before?.key === key) return before.value;
    if (this.restoring) return before?.value ?? null;
    const kept = kind === "column" ? null : ((before?.value ?? null) as Live[K] | null);
    (this.answers as Record<string, unknown>)[kind] = { key, value: kept };
    this.latest[kind].ask(
      ask,
      (value) => {
        (this.answers as Record<string, unknown>)[kind] = { key, value };
        this.tell();
      },
      (error) => {
        // Cancelled with the run that it waited for, or asked of an engine without its files: ask again. What is
        // refused otherwise would be refused again.
        if (this.restoring || (error instanceof Refused && error.kind === "cancelled")) this.stale(kind);
        if (!this.restoring) this.fail(error);
      },
    );
    return kept;
  }

  stale(kind: keyof Live): void {
    const before = this.answers[kind];
    if (before) before.key = "";
  }

  // Ledger

  /** null begins a new one. id: where it was kept on this device, if it was. */
  async openLedger(opened: Bytes | null, id: string = crypto.randomUUID()): Promise<void> {
    await this.attempt(async () => {
      await this.hold();
      // Another tab may have charged it since this page listed what is kept.
      this.kept = await this.ledgers.all().catch(() => this.kept);
      const kept = this.kept.find((one) => one.id === id);
      const file = kept ? { name: kept.name, bytes: kept.bytes } : opened;
      await this.engine.ask("ledger_open", { file, draft: this.draft! });
      this.ledger = file;
      this.ledgerId = id;
      this.ledgerSaved = this.kept.find((kept) => kept.id === id)?.saved ?? true;
      this.stale("ledger");
    });
    this.tell();
  }

  /** Refuses where another tab holds ledgers: each would charge its own copy, and forget what the other spent. */
  private async hold(): Promise<void> {
    if (!(await this.alone.take())) throw new Refused(this.say("ledger.elsewhere"), "input");
  }

  /** Written to the disk of the device at once: a crash must forget no charge. */
  charged(ledger: Bytes): void {
    this.ledger = ledger;
    this.ledgerSaved = false;
    this.stale("ledger");
    this.keeping = this.keep(ledger, false);
    this.tell();
  }

  private async keep(ledger: Bytes, saved: boolean): Promise<void> {
    await this.ledgers.put({ ...ledger, id: this.ledgerId, at: Date.now(), saved });
    this.kept = await this.ledgers.all();
  }

  async ledgerFile(): Promise<Bytes | null> {
    await this.attempt(async () => {
      this.ledger = await this.engine.ask("ledger_file", {});
      this.ledgerSaved = true;
      await this.keep(this.ledger, true);
    });
    this.tell();
    return this.ledger;
  }

  async keptSaved(kept: Kept): Promise<void> {
    await this.ledgers.put({ ...kept, saved: true });
    this.kept = await this.ledgers.all();
    this.tell();
  }

  async forget(id: string): Promise<void> {
    await this.ledgers.forget(id);
    this.kept = await this.ledgers.all();
    this.tell();
  }

  // Runs

  async make(what: "rehearse" | "release", label: string): Promise<void> {
    const draft = this.draft!;
    await this.work(what, async (progress) => {
      if (what === "release") await this.hold();
      const run = await this.engine.ask(what, { draft, label }, progress);
      if (what === "release") {
        const ledger = await this.engine.ask("ledger_file", {});
        this.ledger = ledger;
        this.ledgerSaved = false;
        // Before its result is shown.
        await this.keeping;
        await this.keep(ledger, false);
      }
      const { html } = await this.engine.ask("explorer", { run: run.id });
      const bundle = run.of === "rows" ? await this.engine.ask("bundle", { run: run.id }) : null;
      const id = `${this.start}-${run.id}`;
      this.made.push({ id, run, draft, html, bundle, start: this.start, saved: false });
      this.shown = id;
      this.label = null;
      this.stale("ledger");
    });
  }

  async compare(): Promise<void> {
    const runs = this.comparable.map(({ run }) => run.id);
    await this.work("compare", async (progress) => {
      this.comparison = await this.engine.ask("compare", { runs }, progress);
    });
  }

  /** Runs from the true rows that the engine still has. */
  get comparable(): Made[] {
    return this.made.filter(({ run, start }) => run.of === "rows" && start === this.start);
  }

  async report(made: Made): Promise<Bytes | null> {
    let file: Bytes | null = null;
    await this.work("report", async (progress) => {
      file = await this.engine.ask("report", { run: made.run.id, attacks: this.attacks }, progress);
    });
    return file;
  }

  knows(made: Made): boolean {
    return made.start === this.start;
  }

  /** The engine may have to be started anew; then it gets its files and its ledger again, and runs stay on the page. */
  async cancel(): Promise<void> {
    if (!this.busy || this.restoring) return;
    this.restoring = this.stop();
    await this.restoring;
    this.restoring = null;
    this.tell();
  }

  private async stop(): Promise<void> {
    const forgot = await this.engine.cancel();
    await this.keeping.catch(() => undefined);
    if (!forgot) return;
    this.start++;
    this.comparison = null;
    try {
      if (this.source) await this.ask(this.source);
      if (this.ledger && this.draft) await this.engine.ask("ledger_open", { file: this.ledger, draft: this.draft });
      // Answered before, by an engine without files or ledger.
      for (const kind of Object.keys(this.answers)) this.stale(kind as keyof Live);
    } catch (error) {
      // Without its ledger this engine must release nothing: all is opened anew, and the ledger is offered there.
      this.opened = null;
      this.history.reset(null);
      this.ledger = null;
      this.ledgerId = crypto.randomUUID();
      this.fail(error);
    }
  }

  // Closing

  /** What would be lost with the tab. */
  get unsaved(): boolean {
    const decisions = this.draft !== null && JSON.stringify(this.draft) !== this.planSaved;
    return this.busy !== null || decisions || !this.ledgerSaved || this.made.some((one) => one.bundle !== null && !one.saved);
  }

  private async work(what: Busy["what"], task: (progress: (now: Progress) => void) => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = { what, progress: null };
    this.cancelled = false;
    this.tell();
    await this.attempt(() =>
      task((now) => {
        if (this.busy) this.busy.progress = now;
        this.tell();
      }),
    );
    await this.restoring;
    this.busy = null;
    this.tell();
  }

  private async attempt(task: () => Promise<void>): Promise<void> {
    this.problem = null;
    try {
      await task();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (error instanceof Refused && error.kind === "cancelled") {
      this.cancelled = true;
      this.tell();
      return;
    }
    this.problem = error instanceof Refused ? error.message : this.say("engine.broken");
    if (!(error instanceof Refused)) console.error(error);
    this.tell();
  }
}
