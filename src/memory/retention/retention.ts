import { setTimeout as wait } from 'node:timers/promises';
import { CccError } from '../../base/ccc-error.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { ANALYSER_VERSION } from '../../text/analyse.ts';
import { readPreferences } from '../preferences.ts';
import { ClockWatch } from './clock-watch.ts';
import { cleanSession } from './session-retention.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How often all sessions are looked at, in milliseconds. */
const EVERY_MS = 15 * 60_000;
/** The wait when a session could not be cleaned yet, in milliseconds. */
const RETRY_MS = 30_000;
/** Sessions read at a time. */
const PAGE = 200;

export interface Retention {
  /** Begins to look after the sessions. */
  start(): void;
  /** A preference has changed: looks at all sessions soon. */
  nudge(): void;
  /** Ends with the portion that is being done. What is left goes on at the next start. */
  stop(): Promise<void>;
  /** Looks at all sessions once. False when some could not be done yet. */
  pass(): Promise<boolean>;
}

/**
 * Removes, in the background, what sessions do not keep any longer: what is older than the preference
 * `memory_retention_days`, or than the server's days where these are fewer. Times are cut to the hour, so that what is old
 * goes once an hour, and not turn by turn. What is left to do is read from the record: a kill costs nothing.
 */
export function createRetention(deps: {
  dal: Pick<MemoryDAL, 'retention' | 'jobs'>;
  /** The server's own limit; null keeps for ever what sessions do not limit. */
  days: number | null;
  clock: Clock;
  logger: Logger;
  /** Called when events of a session are gone: the projection follows. */
  changed?: (sessionId: string) => void;
  /** Called after a look at all sessions with those that have lost events: they are to leave the projection's file. */
  leaveNoTraces?: (sessionIds: readonly string[]) => Promise<void>;
  nudgeJobs?: () => void;
  everyMs?: number;
}): Retention {
  const { dal, clock, logger, everyMs = EVERY_MS } = deps;
  const stopping = new AbortController();
  const watch = new ClockWatch(clock);
  let inDoubt = false;
  /** Until when each session was looked at thoroughly. */
  let done = new Map<string, number>();
  /** Sessions that have lost events in this look. */
  let lostEvents: string[] = [];
  let running: Promise<void> | null = null;
  let passing: Promise<boolean> | null = null;
  let wake: () => void = () => undefined;
  let nudged = false;

  /** As long a rest as the portion took: half of the writer's time at most is spent on this. */
  let since = performance.now();
  const pause = async (): Promise<boolean> => {
    const took = Math.ceil(performance.now() - since);
    await wait(took, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    since = performance.now();
    return stopping.signal.aborted;
  };

  const clean = async (sessionId: string, before: number): Promise<boolean> => {
    since = performance.now();
    try {
      const removed = await cleanSession(
        { dal, clock, pause },
        sessionId,
        before,
        done.get(sessionId) !== before,
      );
      if (stopping.signal.aborted) return false;
      if (removed.turns + removed.events + removed.others === 0) return true;
      logger.info(
        { session_id: sessionId, ...removed },
        'what a session does not keep any longer was removed',
      );
      deps.changed?.(sessionId);
      if (removed.events > 0) lostEvents.push(sessionId);
      deps.nudgeJobs?.();
      return true;
    } catch (error) {
      // Erased meanwhile: nothing of it is left to be cleaned.
      if (error instanceof CccError && error.code === 'session_not_found') return true;
      logger.warn({ err: error, session_id: sessionId }, 'a session could not be cleaned yet');
      return false;
    }
  };

  const pass = async (): Promise<boolean> => {
    let all = true;
    const looked = new Map<string, number>();
    for (let after = ''; !stopping.signal.aborted;) {
      const page = await dal.retention.sessions(after, PAGE);
      for (const { sessionId, days: preference, analyserVersion } of page) {
        after = sessionId;
        const days = fewest(
          readPreferences({ memory_retention_days: preference }).memory_retention_days,
          deps.days,
        );
        if (days === null) continue;
        // Its entries are being made anew: only those of this version can be named.
        if (analyserVersion !== 0 && analyserVersion !== ANALYSER_VERSION) all = false;
        else {
          const before = cutOff(clock.now(), days);
          if (await clean(sessionId, before)) looked.set(sessionId, before);
          else all = false;
          if (await pause()) return false;
        }
      }
      if (page.length < PAGE) {
        // Of sessions that are gone nothing is kept.
        done = looked;
        return all;
      }
    }
    return false;
  };
  const wholePass = async (): Promise<boolean> => {
    lostEvents = [];
    const all = await pass();
    if (lostEvents.length > 0 && !stopping.signal.aborted) await deps.leaveNoTraces?.(lostEvents);
    return all;
  };
  const onePass = () => (passing ??= wholePass().finally(() => (passing = null)));

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      nudged = false;
      const wasInDoubt = inDoubt;
      inDoubt = watch.inDoubt();
      if (inDoubt && !wasInDoubt)
        logger.warn('the clock was set ahead by more than a day: nothing is removed for an hour');
      const all =
        !inDoubt &&
        (await onePass().catch((error: unknown) => {
          logger.error({ err: error }, 'the sessions could not be looked at');
          return false;
        }));
      if (nudged) continue;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const slept = wait(all ? everyMs : RETRY_MS, undefined, { signal: stopping.signal, ref: false });
      await Promise.race([woken, slept.catch(() => undefined)]);
    }
  };

  return {
    start: () => {
      running ??= run();
    },
    nudge: () => {
      nudged = true;
      wake();
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([running, passing?.catch(() => undefined)]);
    },
    pass: onePass,
  };
}

/** What was before this is not kept. */
function cutOff(now: number, days: number): number {
  return Math.floor(now / HOUR_MS) * HOUR_MS - days * DAY_MS;
}

function fewest(preference: number | null | undefined, server: number | null): number | null {
  if (preference == null) return server;
  return server === null ? preference : Math.min(preference, server);
}
