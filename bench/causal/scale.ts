import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/base/ids.ts';
import { createCausalMemory, newEvent } from '../../src/causal/create-causal-memory.ts';
import { findCandidates } from '../../src/causal/judging/candidates.ts';
import type { CausalChanges, CausalStore } from '../../src/store/causal-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { anyQuestions, giveVectors, takenIn } from './meaning.ts';

/** Events of a chain, from root to end. */
const CHAIN = 20;
const LONG = 100_000;
const SHORT = 1_000;
/** Other sessions of a thousand events each: a million events beside the one that is asked. */
const OTHERS = 999;
const TIMES = 200;
const WORDS = 20_000;
const BATCH = 1_000;

const percentile = (sorted: number[], p: number) => sorted[Math.floor((sorted.length - 1) * p)] ?? NaN;

/** Words as language has them: the nth is about n times as rare as the first (Zipf). */
const someWord = () => `w${String(Math.floor(WORDS ** Math.random()))}`;

async function fill(
  dal: MemoryDAL,
  events: number,
): Promise<{ sessionId: string; ends: string[]; texts: string[] }> {
  const sessionId = newId('sess');
  const start = Date.UTC(2020, 0, 1);
  await dal.sessions.create({
    sessionId,
    tokenHash: sessionId,
    userPreferences: {},
    initialContext: null,
    now: start,
  });
  const ends: string[] = [];
  const texts: string[] = [];
  for (let from = 0; from < events; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, events - from) }, (_, at) => ({
      ...newEvent(
        {
          text: Array.from({ length: 9 }, someWord).join(' '),
          actor: `person ${String((from + at) % 7)}`,
          happenedAt: start + (from + at) * 1000,
        },
        start,
      ),
      judged: true,
    }));
    await dal.causal.addEvents({ sessionId, events: batch, jobs: [], progress: null, now: start });
    const links = batch.flatMap((effect, at) => {
      const cause = batch[at - 1];
      if (!cause || at % CHAIN === 0) return [];
      return [
        {
          linkId: newId('link'),
          causeId: cause.eventId,
          effectId: effect.eventId,
          relation: 'caused' as const,
          confidence: 0.9,
          explanation: '',
          judgedBy: 'model' as const,
        },
      ];
    });
    await dal.causal.addLinks({ sessionId, links, now: start });
    for (let at = CHAIN - 1; at < batch.length; at += CHAIN) {
      ends.push(batch[at]?.eventId ?? '');
      texts.push(batch[at]?.text ?? '');
    }
  }
  return { sessionId, ends, texts };
}

async function time(name: string, ask: (at: number) => Promise<unknown>, limit = ''): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < TIMES + 10; at += 1) {
    const start = performance.now();
    await ask(at);
    if (at >= 10) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)];
  console.log(`${name.padEnd(66)} p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms   ${limit}`);
  return p50;
}

export async function measureScale(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-causal-'));
  const dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: true });
  const crowd = otherSessions(dal.causal);
  const alone = createCausalMemory({ store: dal.causal, projectionFile: join(folder, 'alone.duckdb') });
  const crowded = createCausalMemory({ store: crowd.store, projectionFile: join(folder, 'crowded.duckdb') });
  const meant = createCausalMemory({
    store: dal.causal,
    projectionFile: join(folder, 'meant.duckdb'),
    meaning: { questions: anyQuestions, vectors: dal.causalVectors },
  });
  try {
    console.log('\nscale: the record in threads, the projection in a file; each time another event');
    const small = await fill(dal, SHORT);
    const any = <T>(list: T[], at: number): T => list[(at * 37) % list.length] as T;
    const why =
      (memory: typeof alone, { sessionId, ends }: typeof small) =>
      (at: number) =>
        memory.why(sessionId, any(ends, at));
    const query =
      (memory: typeof alone, { sessionId, texts }: typeof small) =>
      (at: number) =>
        memory.narrative({ sessionId, query: `why did ${any(texts, at)} happen`, maxTokens: 600 });
    for (const sessionId of crowd.sessionIds)
      await crowded.graph({ sessionId, aroundEventId: null, limit: 1 });
    const first = await time('why, 1,000 events in the session and in the projection', why(alone, small));
    const second = await time(
      'why, 1,000 events in the session, 1,000,000 in the projection',
      why(crowded, small),
    );
    const third = await time('query, 1,000 events in the session and in the projection', query(alone, small));
    const fourth = await time(
      'query, 1,000 events in the session, 1,000,000 in the projection',
      query(crowded, small),
    );
    console.log(
      `  at a million: why ${(second / first).toFixed(2)} times, query ${(fourth / third).toFixed(2)} times   at most 1.5`,
    );
    let start = performance.now();
    const large = await fill(dal, LONG);
    console.log(
      `100,000 events and 95,000 links stored in ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    start = performance.now();
    await alone.why(large.sessionId, large.ends[0] ?? '');
    console.log(
      `taken into the projection and answered in ${((performance.now() - start) / 1000).toFixed(2)} s`,
    );
    await time('why, chain of twenty, 100,000 events in the session', why(alone, large), 'at most 20');
    await time('query, 100,000 events in the session', query(alone, large), 'at most 50');
    await time('candidates of an event, 100,000 events in the session', async (at) => {
      const event = await dal.causal.getEvent(large.sessionId, any(large.ends, at));
      if (event) await findCandidates(dal.causal, event);
    });
    start = performance.now();
    await giveVectors(dal, small.sessionId);
    await giveVectors(dal, large.sessionId);
    console.log(
      `101,000 vectors of 384 numbers stored in ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    await takenIn(meant, small.sessionId);
    start = performance.now();
    await meant.why(large.sessionId, large.ends[0] ?? '');
    console.log(
      `a chain of the large session answered after ${((performance.now() - start) / 1000).toFixed(2)} s`,
    );
    console.log(`100,000 of them taken in in ${(await takenIn(meant, large.sessionId)).toFixed(1)} s`);
    await time('query with meaning, 1,000 events in the session', query(meant, small));
    await time('query with meaning, 100,000 events in the session', query(meant, large));
    await time('why, 100,000 events with vectors in the session', why(meant, large), 'at most 20');
  } finally {
    await meant.close();
    await alone.close();
    await crowded.close();
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The store with 999 more sessions in it that exist only for the projection: chains of twenty. */
function otherSessions(real: CausalStore): { store: CausalStore; sessionIds: string[] } {
  const sessionIds = Array.from({ length: OTHERS }, (_, at) => `sess_other_${String(at)}`);
  const changes = (): CausalChanges => {
    const nos = Int32Array.from({ length: SHORT }, (_, at) => at + 1);
    const effects = nos.filter((no) => (no - 1) % CHAIN !== 0);
    return {
      events: { nos, happenedAt: Float64Array.from(nos, (no) => no * 1000) },
      links: {
        causes: effects.map((no) => no - 1),
        effects,
        relations: new Uint8Array(effects.length),
        confidences: new Float64Array(effects.length).fill(0.9),
        judges: new Uint8Array(effects.length).fill(1),
      },
      removedEvents: new Int32Array(0),
      removedLinks: { causes: new Int32Array(0), effects: new Int32Array(0) },
      through: SHORT,
      more: false,
    };
  };
  const isOther = (sessionId: string) => sessionId.startsWith('sess_other_');
  const store: CausalStore = {
    ...real,
    head: (sessionId) =>
      isOther(sessionId)
        ? Promise.resolve({
            sessionId,
            sessionKey: 1_000_000 + Number(sessionId.slice(11)),
            changeSeq: SHORT,
          })
        : real.head(sessionId),
    changesSince: (sessionId, after, limit) =>
      isOther(sessionId) ? Promise.resolve(changes()) : real.changesSince(sessionId, after, limit),
    eventsByNo: (sessionId, nos) =>
      isOther(sessionId) ? Promise.resolve([]) : real.eventsByNo(sessionId, nos),
    linksAmong: (sessionId, nos) =>
      isOther(sessionId) ? Promise.resolve([]) : real.linksAmong(sessionId, nos),
  };
  return { store, sessionIds };
}
