import { CccError } from '../base/ccc-error.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { silentLogger, type Logger } from '../base/logger.ts';
import type { ActivityStore } from '../store/activity-store.ts';
import type { CausalStore, NewCausalEvent } from '../store/causal-store.ts';
import type { NewJob } from '../store/records.ts';
import { analyse } from '../text/analyse.ts';
import { overallAnalytics, sessionAnalytics } from './analytics/read-analytics.ts';
import type { CausalMemoryCore, EventInput } from './causal-memory-core.ts';
import { neighbourhood, newestEvents } from './graph/edges.ts';
import { countersTo, explain, requireEvent, withRecords } from './graph/explain.ts';
import { findAnchors } from './narrative/anchors.ts';
import { createMeaningSearch, type MeaningSearch, type MeaningSources } from './meaning/meaning-search.ts';
import { narrate } from './narrative/narrate.ts';
import { canLoadDuckDB } from './projection/can-load-duckdb.ts';
import { Follower } from './projection/follower.ts';
import { CausalProjection } from './projection/projection.ts';

export interface CausalMemoryOptions {
  store: CausalStore;
  /** Cycles and costs, for the analytics. */
  activity?: ActivityStore;
  /** Where the projection is kept; null for memory only. */
  projectionFile: string | null;
  /** The record is that of several servers: see `ProjectionOptions`. */
  onlyAsked?: boolean;
  /** The jobs that new events give rise to: none without a judge and an embedding model. */
  jobsOfEvents?: (eventIds: string[], now: number) => NewJob[];
  /** Those of changed ones. */
  jobsOfTexts?: (now: number) => NewJob[];
  /** Finds events by meaning too; by words alone without. */
  meaning?: MeaningSources;
  /** How long analytics may follow the whole graph at a time, in milliseconds, where it is not the usual time. */
  walkLimitMs?: number;
  /** Called after jobs were stored. */
  nudgeJobs?: () => void;
  clock?: Clock;
  logger?: Logger;
}

export interface CausalMemory extends CausalMemoryCore {
  /** Begins to follow the record in the background. */
  start(): void;
  /** Says that a session's causes have changed by another way than through this. */
  changed(sessionId: string): void;
  /** Brings up to date what is followed, and forgets sessions that are gone, in the background. */
  catchUp(): void;
  /** Follows what was removed in these sessions by another way, and takes it out of the projection's file. */
  leaveNoTraces(sessionIds: readonly string[]): Promise<void>;
  /** Events by their meaning; null without an embedding model. */
  readonly meaning: MeaningSearch | null;
}

/** What is said of it while it is not opened. */
const NO_CAUSES = 'Not opened yet: the record has no causes.';
const NOT_ASKED = 'Not opened yet: nothing has been asked of causes.';
const NOT_LOADED = 'DuckDB cannot be loaded.';

/** Causal memory over the record. Nothing is opened before something is asked or followed. */
export function createCausalMemory(options: CausalMemoryOptions): CausalMemory {
  const {
    store,
    activity,
    clock = systemClock,
    logger = silentLogger,
    nudgeJobs = () => undefined,
  } = options;
  const projection = new CausalProjection({
    store,
    ...(activity ? { activity } : {}),
    ...(options.meaning ? { vectors: options.meaning.vectors } : {}),
    file: options.projectionFile,
    onlyAsked: options.onlyAsked ?? false,
    logger,
  });
  const follower = new Follower(projection, logger);
  const meaning = options.meaning ? createMeaningSearch({ ...options.meaning, projection }) : null;
  const deps = { store, projection };
  const wrote = (sessionId: string) => {
    follower.touch(sessionId);
    nudgeJobs();
  };
  const use = (sessionId: string, eventNos: number[]) => {
    store.use({ sessionId, eventNos, now: clock.now() }).catch((error: unknown) => {
      logger.debug({ err: error }, 'it could not be noted which events were of use');
    });
  };

  /** A look at how things are is no reason to load DuckDB where nothing else has been yet. */
  const statusUnopened = async () => {
    if (!(await canLoadDuckDB())) return { available: false, reason: NOT_LOADED, lag: 0 };
    return { available: true, reason: projection.onlyAsked ? NOT_ASKED : NO_CAUSES, lag: 0 };
  };

  return Object.freeze<CausalMemory>({
    meaning,
    start: () => {
      follower.start();
    },
    changed: (sessionId) => {
      follower.touch(sessionId);
    },
    catchUp: () => {
      follower.catchUp();
    },
    leaveNoTraces: (sessionIds) => projection.leaveNoTraces(sessionIds),

    async addEvents(sessionId, inputs) {
      const now = clock.now();
      const events = inputs.map((input) => newEvent(input, now));
      const jobs = options.jobsOfEvents?.(
        events.map(({ eventId }) => eventId),
        now,
      );
      const stored = await store.addEvents({ sessionId, events, jobs: jobs ?? [], progress: null, now });
      wrote(sessionId);
      return stored;
    },

    async changeEvent(sessionId, eventId, { text, ...rest }) {
      const change = text === undefined ? rest : { ...rest, text: { text, terms: analyse(text) } };
      const now = clock.now();
      const jobs = text === undefined ? [] : (options.jobsOfTexts?.(now) ?? []);
      const event = await store.changeEvent({ sessionId, eventId, change, jobs, now });
      if (!event) throw new CccError('event_not_found');
      wrote(sessionId);
      return event;
    },

    async removeEvent(sessionId, eventId) {
      const removed = await store.removeEvent({ sessionId, eventId, by: 'person', now: clock.now() });
      if (!removed) throw new CccError('event_not_found');
      wrote(sessionId);
    },

    getEvent: (sessionId, eventId) => requireEvent(store, sessionId, eventId),

    async addLinks(sessionId, inputs) {
      const links = await store.addLinks({
        sessionId,
        links: inputs.map((input) => ({
          linkId: newId('link'),
          causeId: input.causeId,
          effectId: input.effectId,
          relation: input.relation,
          confidence: input.confidence ?? 1,
          explanation: input.explanation ?? '',
          judgedBy: input.judgedBy ?? 'person',
        })),
        now: clock.now(),
      });
      wrote(sessionId);
      return links;
    },

    async changeLink(sessionId, linkId, change) {
      // To confirm a link is to be sure of it.
      const confirmed = Object.keys(change).length === 0 ? { confidence: 1 } : change;
      const link = await store.changeLink({ sessionId, linkId, change: confirmed, now: clock.now() });
      if (!link) throw new CccError('link_not_found');
      wrote(sessionId);
      return link;
    },

    async removeLink(sessionId, linkId) {
      const removed = await store.removeLink({ sessionId, linkId, by: 'person', now: clock.now() });
      if (!removed) throw new CccError('link_not_found');
      wrote(sessionId);
    },

    async getLink(sessionId, linkId) {
      const link = await store.getLink(sessionId, linkId);
      if (!link) throw new CccError((await store.head(sessionId)) ? 'link_not_found' : 'session_not_found');
      return link;
    },

    async narrative(input) {
      const narrative = await narrate({ ...deps, meaning, now: clock.now() }, input);
      if (narrative.events.length > 0)
        use(
          input.sessionId,
          narrative.events.map(({ eventNo }) => eventNo),
        );
      return narrative;
    },

    why: (sessionId, eventId) => explain(deps, sessionId, eventId, 'causes'),
    effects: (sessionId, eventId) => explain(deps, sessionId, eventId, 'effects'),
    preventedBy: (sessionId, eventId) => countersTo(deps, sessionId, eventId, 'prevented'),
    supersededBy: (sessionId, eventId) => countersTo(deps, sessionId, eventId, 'superseded'),

    async timeline({ sessionId, query, limit }) {
      if (!(await store.head(sessionId))) throw new CccError('session_not_found');
      const nos =
        query.trim() === ''
          ? (await store.recentEvents({ sessionId, before: null, limit: limit + 1 })).map(
              ({ eventNo }) => eventNo,
            )
          : (
              await findAnchors({ store, meaning }, { sessionId, query, limit: limit + 1, now: clock.now() })
            ).map(({ event }) => event.eventNo);
      const graph = await withRecords(store, sessionId, nos.slice(0, limit));
      return { ...graph, truncated: nos.length > limit };
    },

    async graph({ sessionId, aroundEventId, limit, cursor = null }) {
      if (aroundEventId !== null) {
        const { eventNo } = await requireEvent(store, sessionId, aroundEventId);
        const nos = await projection.ask(sessionId, (duck, key) =>
          neighbourhood(duck, key, eventNo, limit + 1),
        );
        const graph = await withRecords(store, sessionId, nos.slice(0, limit));
        return { ...graph, truncated: nos.length > limit, nextCursor: null };
      }
      const before = cursor === null ? null : decodeCursor(cursor);
      const nos = await projection.ask(sessionId, (duck, key) => newestEvents(duck, key, before, limit + 1));
      const graph = await withRecords(store, sessionId, nos.slice(0, limit));
      const oldest = graph.nodes[0];
      const more = nos.length > limit && oldest !== undefined;
      return {
        ...graph,
        truncated: nos.length > limit,
        nextCursor: more ? encodeCursor(oldest) : null,
      };
    },

    analytics: (sessionId) => {
      const { walkLimitMs } = options;
      const limited = walkLimitMs === undefined ? deps : { ...deps, walkLimitMs };
      return sessionId === null ? overallAnalytics(limited) : sessionAnalytics(limited, sessionId);
    },

    async status() {
      try {
        if (!(await projection.isNeeded())) return await statusUnopened();
        // A real question, over all that is there.
        await projection.askAll((duck) => duck.rows('SELECT count(*) FROM links'));
        return { available: true, reason: projection.fileTrouble, lag: await projection.lag() };
      } catch (error) {
        logger.warn({ err: error }, 'causal memory did not answer');
        return { available: false, reason: 'The projection does not answer.', lag: await projection.lag() };
      }
    },

    lag: () => projection.lag(),
    eraseSession: (sessionId) => projection.erase(sessionId),
    async close() {
      follower.stop();
      await projection.close();
    },
  });
}

export function newEvent(input: EventInput, now: number): NewCausalEvent {
  return {
    eventId: newId('evt'),
    conversationId: input.conversationId ?? null,
    sourceTurnId: input.sourceTurnId ?? null,
    text: input.text,
    actor: input.actor ?? null,
    happenedAt: input.happenedAt ?? now,
    recordedBy: input.recordedBy ?? 'person',
    judged: false,
    terms: analyse(input.text),
  };
}

function encodeCursor({ happenedAt, eventNo }: { happenedAt: number; eventNo: number }): string {
  return Buffer.from(JSON.stringify([happenedAt, eventNo])).toString('base64url');
}

function decodeCursor(cursor: string): { happenedAt: number; eventNo: number } {
  try {
    const [happenedAt, eventNo] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (Number.isSafeInteger(happenedAt) && Number.isSafeInteger(eventNo)) {
      return { happenedAt: Number(happenedAt), eventNo: Math.min(Number(eventNo), 2 ** 31 - 1) };
    }
  } catch {
    // Falls through to the one error.
  }
  throw new CccError('invalid_request', 'The cursor is not one that this list gave out.', {
    param: 'cursor',
  });
}
