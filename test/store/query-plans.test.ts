import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWriterConnection, preparedSql } from '../../src/store/sqlite/connection.ts';
import { agentStatesModule } from '../../src/store/sqlite/agent-states.ts';
import { conversationsModule } from '../../src/store/sqlite/conversations.ts';
import { jobsModule } from '../../src/store/sqlite/jobs.ts';
import { migrationFolder, readMigrations } from '../../src/store/migration-files.ts';
import { migrate } from '../../src/store/sqlite/migrations.ts';
import { sessionsModule } from '../../src/store/sqlite/sessions.ts';
import { summariesModule } from '../../src/store/sqlite/summaries.ts';
import { turnIndexModule } from '../../src/store/sqlite/turn-index.ts';
import { turnsModule } from '../../src/store/sqlite/turns.ts';
import { newJob, newTurn, NOON, temporaryFolder } from './implementations.ts';

/** Ways into a table whose cost does not grow with other sessions: inside one session, or to one unique row. */
const NARROW = /\((session_id=\?|session_key=\?|conversation_id=\?\)|token_hash=\?\)|name=\?\)|rowid=\?\))/;
/** Small by nature: five rows, the jobs of one kind that are due, by time, and the list that the caller brings. */
const SMALL =
  /^SCAN record_counters$|INDEX jobs_(due|leased) |^(SCAN|SEARCH) \(subquery|^SCAN CONSTANT ROW|^SCAN wanted VIRTUAL TABLE/;

describe('what the hot path asks of SQLite', () => {
  const folder = temporaryFolder();
  let database: Database;
  beforeAll(() => {
    database = openWriterConnection(join(folder, 'record.db'));
    migrate(database, readMigrations(migrationFolder('sqlite')));
  });
  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('costs no more when other sessions grow: every statement searches inside one session', () => {
    const sessions = sessionsModule.create(database);
    const conversations = conversationsModule.create(database);
    const turns = turnsModule.create(database);
    const summaries = summariesModule.create(database);
    const agents = agentStatesModule.create(database);
    const jobs = jobsModule.create(database);
    const [sessionId, conversationId] = ['s', 'c'];
    const turn = newTurn('hello');
    const idempotency = { key: 'k', requestHash: 'h' };

    sessions.create({ sessionId, tokenHash: 't', userPreferences: {}, initialContext: null, now: NOON });
    sessions.get(sessionId);
    sessions.statistics(sessionId);
    sessions.findByTokenHash('t');
    sessions.setPreferences(sessionId, {}, NOON);
    conversations.create({
      sessionId,
      conversationId,
      directive: 'd',
      turns: [turn],
      jobs: [newJob()],
      now: NOON,
    });
    conversations.get(conversationId);
    conversations.getMany(sessionId, [conversationId]);
    conversations.list({ sessionId, limit: 9, cursor: null });
    for (let i = 0; i < 2; i++) {
      turns.append({ sessionId, conversationId, turns: [newTurn('x')], jobs: [], idempotency, now: NOON });
    }
    turns.get(sessionId, turn.turnId);
    turns.list({ sessionId, conversationId, fromNumber: 1, limit: 9 });
    turns.recent({ sessionId, conversationId, limit: 9 });
    turns.byPosition(sessionId, [{ conversationOrdinal: 1, turnNumber: 1 }]);
    turns.byThreadKey(sessionId, 'k', 1);
    void turnIndexModule.create(database).lookup(sessionId, ['hello', 'x']);
    for (const expectedVersion of [0, 1]) {
      agents.put({ sessionId, agent: 'codey', expectedVersion, state: {}, now: NOON });
    }
    agents.get(sessionId, 'codey');
    agents.list(sessionId);
    const summary = { sessionId, text: '', coversThrough: 1, firstTurnId: null, lastTurnId: null };
    summaries.add({ ...summary, conversationId, author: 'rule', createdAt: NOON, basedOnVersion: 0 });
    summaries.latest(sessionId, conversationId);
    summaries.latestOfAll(sessionId);
    summaries.history(sessionId, null);
    const [job] = jobs.claim({ kinds: ['summarise'], limit: 1, leaseMs: 1, now: NOON });
    jobs.renew({ sessionId, jobId: job!.jobId, attempts: 1, leaseUntil: NOON });
    jobs.fail({ sessionId, jobId: job!.jobId, error: '', retryAt: NOON, counts: true });
    jobs.complete(sessionId, job!.jobId);
    jobs.nextDue(['summarise']);
    sessions.erase(sessionId);

    const statements = preparedSql(database);
    expect(statements.length).toBeGreaterThan(30);
    const wide: string[] = [];
    for (const sql of statements) {
      const bound = sql.replaceAll(/@\w+/g, '?');
      const values = Array.from({ length: bound.split('?').length - 1 }, () => null);
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${bound}`).all(...values) as { detail: string }[];
      for (const { detail } of plan) {
        if (!/^(SCAN|SEARCH)/.test(detail) || NARROW.test(detail) || SMALL.test(detail)) continue;
        wide.push(`${detail}: ${sql}`);
      }
    }
    expect(wide).toEqual([]);
  });

  it('is planned once: no statement has a bare parameter as its limit, which SQLite plans for anew each time', () => {
    const folder = new URL('../../src/store/sqlite/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(30);
    // Its documentation tells why.
    const bare = files.filter((name) => /\bLIMIT\s+[?@:]/.test(readFileSync(new URL(name, folder), 'utf8')));
    expect(bare).toEqual([]);
  });
});
