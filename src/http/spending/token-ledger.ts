import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { DAY_MS, type CallerSpending } from '../../store/budget-store.ts';
import { within } from '../operation/within.ts';

/** How a caller stands today. */
export interface TokenStanding {
  /** Most tokens a day. */
  limit: number;
  spent: number;
  /** Milliseconds until the next day (UTC). */
  endsInMs: number;
}

/** A figure of a record that other servers write to is asked for again after this long, in milliseconds. */
const FRESH_MS = 5_000;
/** Longest wait for the record, in milliseconds: `/v1` answers without it. */
const LIMIT_MS = 2_000;
/** When a write that failed is tried again, in milliseconds. */
const AGAIN_MS = 2_000;
/** Callers that are remembered; the record knows the others. */
const MOST_CALLERS = 10_000;

interface Known {
  day: number;
  /** By the record. */
  stored: number;
  /** Not in the record yet. */
  unstored: number;
  readAt: number;
}

/**
 * What each caller that has a limit has spent today: counted at once here, and as soon as possible in the record, so that
 * a restart gives nothing back and servers on one record count together. While one write is under way the next gathers
 * whatever comes, so that many requests cost few writes. While the record fails it is counted here alone.
 */
export class TokenLedger {
  readonly #store: CallerSpending;
  readonly #limits: ReadonlyMap<string, number>;
  readonly #defaultLimit: number;
  readonly #shared: boolean;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #known = new Map<string, Known>();
  readonly #counting = new Set<Promise<void>>();
  #toStore = new Map<string, { caller: string; tokens: number; at: number }>();
  #storing: Promise<void> | null = null;
  #again: NodeJS.Timeout | null = null;
  #failing = false;

  constructor(parts: {
    store: CallerSpending;
    /** Most tokens a day by caller's name, where it is not the default; 0: no limit. */
    limits: ReadonlyMap<string, number>;
    /** Of everybody else; 0: no limit. */
    defaultLimit: number;
    /** Whether other servers write to the record too. */
    shared: boolean;
    clock: Clock;
    logger: Logger;
  }) {
    this.#store = parts.store;
    this.#limits = parts.limits;
    this.#defaultLimit = parts.defaultLimit;
    this.#shared = parts.shared;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Whether anybody has a limit at all. */
  get limits(): boolean {
    return this.#defaultLimit > 0 || [...this.#limits.values()].some((limit) => limit > 0);
  }

  isLimited(caller: string): boolean {
    return this.#limitOf(caller) > 0;
  }

  /** Null without a limit. At once when the caller is known already, which is nearly always. */
  standing(caller: string): TokenStanding | null | Promise<TokenStanding | null> {
    const limit = this.#limitOf(caller);
    if (limit === 0) return null;
    const now = this.#clock.now();
    const known = this.#known.get(caller);
    const endsInMs = DAY_MS - (now % DAY_MS);
    if (known?.day !== dayOf(now)) {
      return this.#read(caller, now).then((read) => ({ limit, spent: spentOf(read), endsInMs }));
    }
    // What the others have spent is heard of a moment later.
    if (this.#shared && now - known.readAt > FRESH_MS) {
      known.readAt = now;
      void this.#read(caller, now);
    }
    return { limit, spent: spentOf(known), endsInMs };
  }

  spend(caller: string, tokens: number): void {
    if (tokens <= 0 || !this.isLimited(caller)) return;
    const at = this.#clock.now();
    const day = dayOf(at);
    const known = this.#known.get(caller);
    if (known?.day === day) known.unstored += tokens;
    else this.#remember(caller, { day, stored: 0, unstored: tokens, readAt: 0 });
    const key = `${String(day)} ${caller}`;
    const waiting = this.#toStore.get(key);
    if (waiting) waiting.tokens += tokens;
    else this.#toStore.set(key, { caller, tokens, at });
    this.#storeSoon();
  }

  /** The same for what is still being counted. */
  spendLater(caller: string, tokens: Promise<number>): void {
    const counting = tokens
      .then((counted) => {
        this.spend(caller, counted);
      })
      .catch((error: unknown) => {
        this.#logger.error({ err: error }, 'the tokens of an answer could not be counted');
      })
      .finally(() => this.#counting.delete(counting));
    this.#counting.add(counting);
  }

  /** Resolves when all that was spent is in the record, or could not be written. */
  async settle(): Promise<void> {
    if (this.#again) clearTimeout(this.#again);
    this.#again = null;
    await Promise.all(this.#counting);
    while (this.#storing) await this.#storing;
    if (this.#toStore.size > 0) await this.#storeAll();
  }

  #limitOf(caller: string): number {
    return this.#limits.get(caller) ?? this.#defaultLimit;
  }

  #storeSoon(): void {
    if (this.#storing || this.#again) return;
    this.#storing = this.#storeAll().finally(() => {
      this.#storing = null;
      if (this.#toStore.size > 0 && !this.#failing) this.#storeSoon();
    });
  }

  async #storeAll(): Promise<void> {
    const entries = this.#toStore;
    this.#toStore = new Map();
    const written = [...entries.values()];
    try {
      const totals = await this.#store.spend(written);
      written.forEach(({ caller, tokens, at }, index) => {
        const known = this.#known.get(caller);
        if (known?.day !== dayOf(at)) return;
        known.stored = Math.max(totals[index] ?? 0, known.stored);
        known.unstored -= tokens;
        known.readAt = at;
      });
      this.#failing = false;
    } catch (error) {
      for (const [key, entry] of entries) {
        const later = this.#toStore.get(key);
        if (later) later.tokens += entry.tokens;
        else this.#toStore.set(key, entry);
      }
      if (!this.#failing) {
        this.#logger.error({ err: error }, 'tokens of callers are counted in this process only for now');
      }
      this.#failing = true;
      this.#again ??= setTimeout(() => {
        this.#again = null;
        this.#storeSoon();
      }, AGAIN_MS).unref();
    }
  }

  /** What the record says. Zero where it does not answer: `/v1` works without it. */
  async #read(caller: string, now: number): Promise<Known> {
    const stored = await this.#ask(caller, now);
    const day = dayOf(now);
    const known = this.#known.get(caller);
    // Somebody may have spent, or have asked the same, meanwhile.
    if (known?.day === day) {
      known.stored = Math.max(known.stored, stored);
      return known;
    }
    const read = { day, stored, unstored: 0, readAt: now };
    this.#remember(caller, read);
    return read;
  }

  async #ask(caller: string, now: number): Promise<number> {
    try {
      return await within(LIMIT_MS, () => this.#store.spentBy(caller, now));
    } catch (error) {
      this.#logger.error({ err: error }, 'it could not be looked up what a caller has spent today');
      return 0;
    }
  }

  #remember(caller: string, known: Known): void {
    this.#known.delete(caller);
    this.#known.set(caller, known);
    if (this.#known.size <= MOST_CALLERS) return;
    for (const [name, { unstored }] of this.#known) {
      if (unstored > 0) continue;
      this.#known.delete(name);
      return;
    }
  }
}

const dayOf = (now: number): number => Math.floor(now / DAY_MS);
const spentOf = ({ stored, unstored }: Known): number => stored + unstored;
