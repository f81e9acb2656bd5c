import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/store/postgres/open-postgres-store.ts';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import type { RecordNotice, SharedRecord } from '../../../src/store/shared-record.ts';
import { createTestDatabase, dropTestDatabase } from '../../support/postgres.ts';
import { newConversation, newJob, newSession, newTurn, NOON } from '../implementations.ts';

/** What several servers do with one record at the same time. */
describe('one record with several servers on it', () => {
  let url: string;
  let servers: MemoryDAL[];
  beforeAll(async () => {
    url = await createTestDatabase();
    // All at once: one of them brings the schema, the others wait for it.
    servers = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url, connections: 4 })));
  });
  afterAll(async () => {
    await Promise.all(servers.map((dal) => dal.close()));
    await dropTestDatabase(url);
  });
  const server = (at: number): MemoryDAL => servers[at % servers.length] as MemoryDAL;
  const sharedOf = (at: number): SharedRecord => server(at).shared as SharedRecord;

  it('numbers the turns of a conversation through, without a gap and without a double', async () => {
    const sessionId = await newSession(server(0));
    const conversationId = await newConversation(server(0), sessionId);
    const stored = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        server(at).turns.append({
          sessionId,
          conversationId,
          turns: [newTurn(`turn ${String(at)} of many`)],
          jobs: [newJob()],
          now: NOON + at,
        }),
      ),
    );
    const numbers = stored.flatMap(({ turns }) => turns.map(({ turnNumber }) => turnNumber));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    expect(await server(1).conversations.get(conversationId)).toMatchObject({ turnCount: 60 });
    expect(await server(2).sessions.get(sessionId)).toMatchObject({ totalTurns: 60 });
    const { terms } = await server(0).index.lookup(sessionId, ['turn']);
    expect(terms[0]?.places.length).toBe(60);
  });

  it('stores what comes twice with one idempotency key once, whichever servers it comes to', async () => {
    const sessionId = await newSession(server(0));
    const conversationId = await newConversation(server(0), sessionId);
    const idempotency = { key: 'again', requestHash: 'h' };
    const answers = await Promise.all(
      [0, 1, 2, 0, 1, 2].map((at) =>
        server(at).turns.append({
          sessionId,
          conversationId,
          turns: [newTurn('only once')],
          jobs: [],
          idempotency,
          now: NOON,
        }),
      ),
    );
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ turns }) => turns[0]?.turnId)).size).toBe(1);
    expect(await server(0).conversations.get(conversationId)).toMatchObject({ turnCount: 1 });
  });

  it('gives a job to one server, and none of them waits for another', async () => {
    const sessionId = await newSession(server(0));
    const kind = 'shared';
    const jobs = Array.from({ length: 40 }, (_, at) => newJob({ kind, dedupeKey: String(at) }));
    await server(0).jobs.enqueue(sessionId, jobs, NOON);
    const input = { kinds: [kind], limit: 10, leaseMs: 60_000, now: NOON };
    const claimed = (await Promise.all([0, 1, 2, 0, 1, 2].map((at) => server(at).jobs.claim(input)))).flat();
    while (claimed.length < 40) {
      const more = await server(1).jobs.claim(input);
      if (more.length === 0) break;
      claimed.push(...more);
    }
    expect(new Set(claimed.map(({ jobId }) => jobId)).size).toBe(40);
    expect(claimed).toHaveLength(40);
    expect(claimed.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it('takes a session that one erases away from all, with its token, and tells them', async () => {
    const sessionId = await newSession(server(0));
    const token = `hash of ${sessionId}`;
    expect(await server(1).sessions.findByTokenHash(token)).toMatchObject({ sessionId });
    const told = new Promise<RecordNotice>((resolve) => {
      const stop = sharedOf(2).notices.listen({
        heard: (notice) => {
          if (notice.kind !== 'erased' || notice.sessionId !== sessionId) return;
          stop();
          resolve(notice);
        },
        // Now it listens.
        missed: () => void server(0).sessions.erase(sessionId),
      });
    });
    expect(await told).toEqual({ kind: 'erased', sessionId });
    expect(await server(1).sessions.findByTokenHash(token)).toBeNull();
    expect(await server(2).sessions.get(sessionId)).toBeNull();
  });

  it('lets one session be made under a name', async () => {
    const input = { tokenHash: 'h', userPreferences: {}, initialContext: null, now: NOON };
    const made = await Promise.allSettled(
      [0, 1, 2].map((at) => server(at).sessions.create({ ...input, sessionId: 'sess_of_all' })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of made) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'session_exists' });
    }
    await server(0).sessions.erase('sess_of_all');
  });

  it('keeps the budget of a day, whichever of them asks for a call', async () => {
    const limits = { day: { tokens: 1_000, ms: null, rounds: null } };
    const asked = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, at) => {
        const dal = server(at);
        const sessionId = await newSession(dal);
        const conversationId = await newConversation(dal, sessionId);
        return dal.cycles.create({
          sessionId,
          conversationId,
          cycleId: `cyc_budget_${String(at)}`,
          status: 'guiding',
          outcome: null,
          request: {},
          machine: {},
          createdAt: NOON,
          turns: [],
          events: [],
          jobs: [],
          reserve: { tokens: 150, callTokens: 150, ms: 1_000, rounds: 0, limits },
        });
      }),
    );
    // Six times 150 are 900: a seventh does not fit.
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    for (const outcome of asked) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ code: 'budget_exhausted', param: 'budget.day.tokens' });
      }
    }
  });

  it('counts the requests of a caller together', async () => {
    const limiters = [0, 1, 2].map((at) =>
      sharedOf(at).rateLimits.limiter({ name: 'requests', points: 7, durationS: 60 }),
    );
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => limiters[at % 3]?.consume('key laptop')),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    for (const outcome of asked) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ remainingPoints: 0 });
    }
    await expect(limiters[0]?.consume('key desk')).resolves.toMatchObject({ remainingPoints: 6 });
  });

  it('counts each by itself while the database does not answer', async () => {
    const alone = await openPostgresStore({ url });
    const limiter = (alone.shared as SharedRecord).rateLimits.limiter({
      name: 'requests',
      points: 2,
      durationS: 60,
    });
    await alone.close();
    const asked = await Promise.allSettled([1, 2, 3].map(() => limiter.consume('key of the lonely')));
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
