import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../../base/logger.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { IndexedText } from '../../store/reindex-store.ts';
import { ANALYSER_VERSION } from '../../text/analyse.ts';
import { termsOfRow } from './terms-of-row.ts';

/** Texts in one portion, and characters: others write in between. */
const TEXTS_AT_ONCE = 50;
const CHARACTERS_AT_ONCE = 100_000;
/** Entries looked at in one sweep. */
const SWEPT_AT_ONCE = 5_000;
/** After each portion as long a rest as it took: half of the record's time at most is spent on this. */
const REST = 1;
/** The wait before a session that failed is tried again, in milliseconds, and how often that is done. */
const RETRY_MS = 1_000;
const TRIES = 3;

export interface Reindexer {
  /** Begins to look for sessions of another version. Cheap when there are none. */
  start(): void;
  /** Ends with the portion that is being done. What is left goes on at the next start. */
  stop(): Promise<void>;
  /** Resolves when nothing is left to do, or it was stopped. */
  whenDone(): Promise<void>;
}

/**
 * Brings the index of every session to the version of this analyser, in the background, one session at a time. How far
 * it is stands in the record, with each portion: a kill at any moment costs that portion at most. A session that cannot
 * be done is left for the next start; it is found as before.
 */
export function createReindexer(deps: {
  dal: Pick<MemoryDAL, 'reindex'>;
  logger: Logger;
  version?: number;
  /** The index entries of a row. */
  termsOf?: typeof termsOfRow;
}): Reindexer {
  const { dal, logger, version = ANALYSER_VERSION, termsOf = termsOfRow } = deps;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  const rest = async (begun: number) => {
    const ms = Math.ceil((performance.now() - begun) * REST);
    // Stopped meanwhile: the loop sees it.
    await wait(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  };

  /** One portion. True when the session is done. */
  const portion = async (sessionId: string): Promise<boolean> => {
    const texts = await dal.reindex.read({
      sessionId,
      version,
      limit: TEXTS_AT_ONCE,
      characters: CHARACTERS_AT_ONCE,
    });
    if (texts.length === 0) return dal.reindex.sweep({ sessionId, version, limit: SWEPT_AT_ONCE });
    const made: { text: IndexedText; terms: Awaited<ReturnType<typeof termsOf>> }[] = [];
    for (const text of texts) made.push({ text, terms: await termsOf(text) });
    await dal.reindex.write({ sessionId, version, texts: made });
    return false;
  };

  const reindex = async (sessionId: string): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted;) {
      const begun = performance.now();
      try {
        if (await portion(sessionId)) return;
      } catch (error) {
        failures += 1;
        logger.warn({ err: error, session_id: sessionId }, 'a session could not be indexed anew yet');
        if (failures === TRIES) return;
        await wait(RETRY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      }
      await rest(begun);
    }
  };

  const run = async (): Promise<void> => {
    const outdated = await dal.reindex.outdated(version);
    if (outdated.sessions === 0) return;
    logger.info({ ...outdated, analyser_version: version }, 'sessions are being indexed anew');
    let sessionId = await dal.reindex.next(version, '');
    while (sessionId !== null && !stopping.signal.aborted) {
      await reindex(sessionId);
      sessionId = await dal.reindex.next(version, sessionId);
    }
    if (!stopping.signal.aborted)
      logger.info({ analyser_version: version }, 'all sessions were indexed anew');
  };

  return {
    start: () => {
      running ??= run().catch((error: unknown) => {
        logger.error({ err: error }, 'sessions could not be indexed anew');
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    whenDone: async () => {
      await running;
    },
  };
}
