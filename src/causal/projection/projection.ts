import { CccError } from '../../base/ccc-error.ts';
import type { Logger } from '../../base/logger.ts';
import type { ActivityStore } from '../../store/activity-store.ts';
import type { Duck, DuckReader } from './duckdb.ts';
import { activityFeed, causalFeed, vectorFeed, type Feed, type Open } from './feeds.ts';
import type { FollowedVectors } from './follow-vectors.ts';
import type { FollowedStore } from './follow.ts';
import { allHeads, headsOf } from './heads.ts';
import { fresh, ProjectionFile } from './projection-file.ts';
import { sessionStamp } from './schema.ts';
import { hasTraces } from './vector-tables.ts';

/** How often those who stand in the way of closing are interrupted, in milliseconds: one may just begin another question. */
const INTERRUPT_EVERY_MS = 5;
/** Sessions of which the lag is summed up, where it is theirs alone that counts. */
const MOST_IN_LAG = 100;

export interface ProjectionOptions {
  store: FollowedStore;
  /** Cycles and costs, for the analytics; without it they count none. */
  activity?: ActivityStore;
  /** The vectors of events; without it none are held. */
  vectors?: FollowedVectors;
  /** Null keeps it in memory. */
  file: string | null;
  /** The record is that of several servers: this one follows the sessions it is asked about, and no others by itself. */
  onlyAsked?: boolean;
  logger: Logger;
  now?: () => number;
}

/**
 * The record's causal graph in DuckDB. It is opened when it is first asked, follows the record by a watermark for each
 * session, and has caught up with a session before it answers about it. Whatever is wrong with its file (missing,
 * damaged, of another version), it is made again from the record; while it cannot be used (another process has it), an
 * empty one in memory takes in the sessions that are asked for, and the answers are the same.
 */
export class CausalProjection {
  readonly #options: ProjectionOptions;
  /** Null where it is kept in memory. */
  readonly #file: ProjectionFile | null;
  readonly #causes: Feed;
  /** What analytics wait for. */
  readonly #told: readonly Feed[];
  /** What is waited for before meanings are compared. */
  readonly #meant: readonly Feed[];
  readonly #feeds: readonly Feed[];
  #open: Open | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** Connections of those that ask beside the queue. */
  readonly #readers = new Set<DuckReader>();
  #closed = false;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    const { file, activity, vectors, logger, now = Date.now } = options;
    this.#file =
      file === null
        ? null
        : new ProjectionFile({
            file,
            keepsVectors: vectors !== undefined,
            logger,
            now,
            close: (duck) => this.#closeDuck(duck),
          });
    this.#causes = causalFeed(options.store);
    this.#told = activity ? [this.#causes, activityFeed(activity)] : [this.#causes];
    this.#meant = vectors ? [this.#causes, vectorFeed(options.store, vectors)] : [this.#causes];
    this.#feeds = [...new Set([...this.#told, ...this.#meant])];
  }

  /** Whether there is anything to follow with, opened or not. */
  get exists(): boolean {
    return this.#open !== null || this.#file?.exists === true;
  }

  /** Whether there is anything that it would hold: for a record without causes it need not be opened. */
  async isNeeded(): Promise<boolean> {
    return this.exists || (!this.onlyAsked && (await this.#options.store.counts()).changes > 0);
  }

  get onlyAsked(): boolean {
    return this.#options.onlyAsked === true;
  }

  /** Why the file is not in use; null while it is, or while nothing was opened. */
  get fileTrouble(): string | null {
    return this.#file?.trouble ?? null;
  }

  /**
   * Asks about one session, which is brought up to date first. A database that fails is made anew, once.
   * @throws session_not_found
   */
  ask<T>(sessionId: string, question: (duck: Duck, sessionKey: number) => Promise<T>): Promise<T> {
    return this.#askAfter([this.#causes], sessionId, question);
  }

  #askActivity<T>(sessionId: string, question: (duck: Duck, sessionKey: number) => Promise<T>): Promise<T> {
    return this.#askAfter(this.#told, sessionId, question);
  }

  /**
   * Asks what may take long, of one session or of all with null, brought up to date before, with its cycles and calls. It is
   * asked beside the queue: what a reply waits for does not wait for this. It may be asked a second time, when the database
   * fails or has to be closed meanwhile. @throws session_not_found
   */
  async askApart<T>(
    sessionId: string | null,
    question: (duck: DuckReader, sessionKey: number | null) => Promise<T>,
  ): Promise<T> {
    if (sessionId === null) for (const feed of this.#told) await this.#catchUpFeed(feed, false);
    let sessionKey: number | null = null;
    const open = async (duck: Duck, key: number | null) => {
      sessionKey = key;
      const reader = await duck.reader();
      this.#readers.add(reader);
      return reader;
    };
    const reader = await (sessionId === null
      ? this.#withDuck(({ duck }) => open(duck, null))
      : this.#askActivity(sessionId, open));
    try {
      return await question(reader, sessionKey);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'a question beside the others is asked again among them');
    } finally {
      this.#readers.delete(reader);
      reader.close();
    }
    // In the queue a database that fails is made anew.
    return sessionId === null
      ? this.#withDuck(({ duck }) => question(duck, null))
      : this.#askActivity(sessionId, question);
  }

  /** Asks over everything that has been taken in. */
  askAll<T>(question: (duck: Duck) => Promise<T>): Promise<T> {
    return this.#withDuck(({ duck }) => question(duck));
  }

  /** Changes that the record has and the projection has not; of the newest sessions in it, where it follows only some. */
  async lag(): Promise<number> {
    if (this.onlyAsked) return this.#lagOfHeld();
    const { changes } = await this.#options.store.counts();
    return Math.max(0, changes - (this.#open?.through ?? 0));
  }

  async #lagOfHeld(): Promise<number> {
    if (!this.#open) return 0;
    const rows = await this.#withDuck(({ duck }) =>
      duck.rows(
        `SELECT session_key, through FROM heads ORDER BY session_key DESC LIMIT ${String(MOST_IN_LAG)}`,
      ),
    );
    const held = new Map(rows.map(([key, through]) => [Number(key), Number(through)]));
    let lag = 0;
    for await (const { sessionKey, changeSeq } of headsOf(this.#causes, held.keys())) {
      lag += Math.max(0, changeSeq - (held.get(sessionKey) ?? 0));
    }
    return lag;
  }

  /**
   * The same, with the session's vectors up to date too: these are many, and come in pieces between which others are
   * served. @throws session_not_found
   */
  async askMeaning<T>(
    sessionId: string,
    question: (duck: Duck, sessionKey: number) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const head = await this.#causes.head(sessionId);
      if (!head) throw new CccError('session_not_found');
      const answer = await this.#withDuck(async (open) => {
        for (const feed of this.#meant) if (await feed.follow(open, head)) return null;
        return { is: await question(open.duck, head.sessionKey) };
      });
      if (answer) return answer.is;
    }
  }

  /** Brings one session up to date, in pieces between which others are served. */
  async catchUp(sessionId: string): Promise<void> {
    await this.#catchUpOf(this.#feeds, sessionId);
  }

  async #catchUpOf(feeds: readonly Feed[], sessionId: string): Promise<void> {
    for (const feed of feeds) {
      let more = true;
      while (more && !this.#closed) {
        const head = await feed.head(sessionId);
        more = head !== null && (await this.#withDuck((open) => feed.follow(open, head)));
      }
    }
  }

  /**
   * Brings everything that it follows up to date and forgets the sessions that are gone. What was removed from the record
   * just before a kill leaves the file too: whoever removed it was not left the time.
   */
  async catchUpAll(): Promise<void> {
    for (const feed of this.#feeds) await this.#catchUpFeed(feed, this.onlyAsked);
    if (this.#closed) return;
    await this.#withDuck(async (open) => {
      if (await hasTraces(open.duck)) await this.#clearFile(open);
    });
  }

  async #catchUpFeed(feed: Feed, onlyHeld: boolean): Promise<void> {
    // One that began while the heads were read may be among the forgotten: it is taken in again when it is asked for.
    const known = await this.#withDuck(({ duck }) =>
      duck.rows(`SELECT session_key, stamp, through FROM ${feed.table}`),
    );
    const left = new Map(known.map(([key, stamp, through]) => [Number(key), { stamp, through }]));
    for await (const head of onlyHeld ? headsOf(feed, [...left.keys()]) : allHeads(feed)) {
      if (this.#closed) return;
      const at = left.get(head.sessionKey);
      left.delete(head.sessionKey);
      let more = at?.through !== head.changeSeq || at.stamp !== sessionStamp(head.sessionId);
      while (more) more = await this.#withDuck((open) => feed.follow(open, head));
    }
    await this.#withDuck(async (open) => {
      for (const key of left.keys()) await feed.forget(open, key);
    });
  }

  /** Removes a session's rows, from a file that nobody has opened yet too. */
  async erase(sessionId: string): Promise<void> {
    if (!this.exists) return;
    await this.#withDuck(async (open) => {
      let forgotten = 0;
      for (const feed of this.#feeds) {
        const rows = await open.duck.rows(`SELECT session_key FROM ${feed.table} WHERE stamp = $1`, [
          BigInt(sessionStamp(sessionId)),
        ]);
        for (const [key] of rows) await feed.forget(open, Number(key));
        forgotten += rows.length;
      }
      if (forgotten > 0) await this.#clearFile(open);
    });
  }

  /** Follows what was removed in these sessions, and takes it out of the file. */
  async leaveNoTraces(sessionIds: readonly string[]): Promise<void> {
    if (!this.exists) return;
    for (const sessionId of sessionIds) await this.catchUp(sessionId);
    await this.#withDuck((open) => this.#clearFile(open));
  }

  /** What was deleted leaves the file, not only the table. */
  async #clearFile(open: Open): Promise<void> {
    if (!open.inFile) return;
    if (await hasTraces(open.duck)) {
      await this.#file?.writeAnew(open.duck);
      this.#open = null;
    } else await open.duck.run('CHECKPOINT');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#enqueue(async () => {
      await this.#closeDuck(this.#open?.duck);
      this.#open = null;
    });
  }

  #askAfter<T>(
    feeds: readonly Feed[],
    sessionId: string,
    question: (duck: Duck, sessionKey: number) => Promise<T>,
  ): Promise<T> {
    return this.#withDuck(async (open) => {
      let sessionKey = 0;
      for (const feed of feeds) {
        const head = await feed.head(sessionId);
        if (!head) throw new CccError('session_not_found');
        while (await feed.follow(open, head)) {
          // Until there is no more.
        }
        ({ sessionKey } = head);
      }
      return question(open.duck, sessionKey);
    });
  }

  /** One thing at a time: a question must not see half of a piece. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #withDuck<T>(work: (open: Open) => Promise<T>): Promise<T> {
    return this.#enqueue(async () => {
      if (this.#closed) throw new CccError('storage_failed', 'Causal memory is closed.');
      try {
        return await work(await this.#opened());
      } catch (error) {
        // The record's own errors are no fault of the projection.
        if (error instanceof CccError) throw error;
        // Nor is an interruption, which came too late for what it was meant for: it is asked again.
        if (isInterruption(error)) return work(await this.#opened());
        this.#options.logger.warn({ err: error }, 'the causal projection failed and is made again');
        await this.#discard();
      }
      return work(await this.#opened());
    });
  }

  async #discard(): Promise<void> {
    const inFile = this.#open?.inFile === true;
    try {
      await this.#closeDuck(this.#open?.duck);
    } catch {
      // It is broken anyway.
    }
    this.#open = null;
    if (inFile) this.#file?.remove();
  }

  async #opened(): Promise<Open> {
    if (this.#open && (this.#open.inFile || this.#file?.mayBeTried !== true)) return this.#open;
    const inFile = (await this.#file?.open()) ?? null;
    if (!inFile && this.#open) return this.#open;
    await this.#closeDuck(this.#open?.duck);
    const duck = inFile ?? (await fresh(null));
    const [sum] = await duck.rows('SELECT coalesce(sum(through), 0)::DOUBLE FROM heads');
    this.#open = {
      duck,
      inFile: inFile !== null,
      through: Number(sum?.[0] ?? 0),
      current: new Map(),
      meant: new Map(),
    };
    return this.#open;
  }

  /** Closes a database after those who ask beside the queue: they are interrupted, and ask again. */
  async #closeDuck(duck: Duck | undefined): Promise<void> {
    while (this.#readers.size > 0) {
      for (const reader of this.#readers) reader.interrupt();
      await new Promise((resolve) => setTimeout(resolve, INTERRUPT_EVERY_MS));
    }
    duck?.close();
  }
}

function isInterruption(error: unknown): boolean {
  return /\binterrupt/i.test(error instanceof Error ? error.message : String(error));
}
