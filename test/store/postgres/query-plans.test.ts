import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import { openPostgresStore } from '../../../src/store/postgres/open-postgres-store.ts';
import { preparedStatements } from '../../../src/store/postgres/queries.ts';
import { analyse } from '../../../src/text/analyse.ts';
import { createTestDatabase, dropTestDatabase } from '../../support/postgres.ts';
import { newConversation, newJob, newSession, newTurn, NOON } from '../implementations.ts';

/** Small whatever the record holds: a few rows for all, or for what is under way. */
const SMALL = new Set([
  'record_counters',
  'cycle_counts',
  'day_spending',
  'caller_spending',
  'pending_imports',
  'schema_migrations',
]);

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

function* nodesOf(plan: Plan): Generator<Plan> {
  yield plan;
  for (const inner of plan.Plans ?? []) yield* nodesOf(inner);
}

/** The usual work of a session: what has to stay quick however much the record holds. */
async function work(dal: MemoryDAL): Promise<void> {
  const memory = createMemoryService({ dal });
  const sessionId = await newSession(dal);
  const turns = ['Ana likes the harbour.', 'Ben plays chess.'].map((text) =>
    newTurn(text, { terms: analyse(text) }),
  );
  const conversationId = await newConversation(dal, sessionId, turns);
  await dal.turns.append({
    sessionId,
    conversationId,
    turns: [newTurn('And tea.', { metadata: { thread_key: 'k' } })],
    jobs: [newJob()],
    idempotency: { key: 'k', requestHash: 'h' },
    now: NOON,
  });
  await dal.turns.byThreadKey(sessionId, 'k', 5);
  await dal.turns.recent({ sessionId, conversationId, limit: 5 });
  await memory.buildContext({
    sessionId,
    conversationId,
    directive: 'What does Ana like?',
    maxTurns: 5,
    maxTokens: 500,
    includeAgentState: true,
    includeCausal: true,
    alreadySent: [],
  });
  const events = ['one', 'two'].map((id) => ({
    eventId: id,
    conversationId: null,
    sourceTurnId: null,
    text: `event ${id}`,
    actor: 'Ana',
    happenedAt: NOON,
    recordedBy: 'model' as const,
    judged: false,
    terms: analyse(`event ${id}`),
  }));
  await dal.causal.addEvents({ sessionId, events, jobs: [], progress: null, now: NOON });
  await dal.causal.search({ sessionId, terms: ['event'], before: null, limit: 5 });
  await dal.causal.changesSince(sessionId, 0, 10);
  await dal.causal.head(sessionId);
  await dal.activity.changesSince(sessionId, 0, 10);
  await dal.cycles.list({ sessionId, limit: 5, cursor: null });
  await dal.cycles.get('cyc_none');
  await dal.budgets.standing(sessionId, NOON);
  await dal.lessons.active(sessionId, 5);
  await dal.sessions.list({ limit: 5, cursor: null });
  await dal.sessions.findByTokenHash('h');
  await dal.sessions.statistics(sessionId);
  const claimed = await dal.jobs.claim({ kinds: ['summarise'], limit: 5, leaseMs: 1000, now: NOON });
  await dal.jobs.nextDue(['summarise']);
  for (const { jobId } of claimed) await dal.jobs.complete(sessionId, jobId);
  await dal.retention.sessions('', 5);
  await dal.retention.leftovers(sessionId, NOON, 5);
  await dal.sessions.erase(sessionId);
}

describe('statements on PostgreSQL', () => {
  let url: string;
  let dal: MemoryDAL;
  beforeAll(async () => {
    url = await createTestDatabase();
    dal = await openPostgresStore({ url });
    await work(dal);
  });
  afterAll(async () => {
    await dal.close();
    await dropTestDatabase(url);
  });

  it('find their rows by an index: none reads a whole table that grows', async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      // A table as small as here is read as a whole for preference; so it is only where there is no other way.
      await client.query('SET enable_seqscan = off');
      const explained: string[] = [];
      const scans: string[] = [];
      for (const sql of preparedStatements()) {
        if (!/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(sql) || /pg_(advisory|available)/.test(sql))
          continue;
        const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
          `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${sql}`,
        );
        explained.push(sql);
        for (const node of nodesOf((rows[0]?.['QUERY PLAN'] as [{ Plan: Plan }])[0].Plan)) {
          const table = node['Relation Name'] ?? '';
          const byIndex = 'Index Cond' in node || node['Node Type'].startsWith('Bitmap');
          const whole = /Scan/.test(node['Node Type']) && !byIndex && table !== '' && !SMALL.has(table);
          if (whole) scans.push(`${table}: ${sql}`);
        }
      }
      expect(explained.length).toBeGreaterThan(80);
      expect(scans).toEqual([]);
    } finally {
      await client.end();
    }
  });
});
