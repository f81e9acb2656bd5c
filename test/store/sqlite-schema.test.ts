import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openReaderConnection, openWriterConnection } from '../../src/store/sqlite/connection.ts';
import { EXPORT_TABLES, NOT_EXPORTED } from '../../src/store/rows/export-tables.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { newConversation, newJob, newSession, newTurn, NOON, temporaryFolder } from './implementations.ts';

describe('the schema on SQLite', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'sub', 'record.db');
  let dal: MemoryDAL;
  let raw: Database.Database;
  beforeAll(async () => {
    dal = await openSqliteStore({ file, threads: false });
    raw = new Database(file, { readonly: true });
  });
  afterAll(async () => {
    raw.close();
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const tables = () =>
    raw
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .pluck()
      .all() as string[];
  const columns = (table: string) =>
    raw.pragma(`table_info(${table})`) as { name: string; pk: number; notnull: number }[];
  const hasColumn = (table: string, name: string) => columns(table).some((column) => column.name === name);
  const sessionTables = () =>
    tables().filter((table) => hasColumn(table, 'session_id') || hasColumn(table, 'session_key'));

  it('has the tables that were asked for', () => {
    expect(tables()).toEqual(
      expect.arrayContaining([
        'sessions',
        'conversations',
        'turns',
        'agent_states',
        'context_summaries',
        'jobs',
      ]),
    );
  });

  it('the key of every table with session data leads with the session', () => {
    for (const table of sessionTables()) {
      const leading = columns(table).find((column) => column.pk === 1)?.name;
      expect(['session_id', 'session_key'], `first key column of ${table}`).toContain(leading);
    }
  });

  it('every table with session data falls with its session, by cascading references', () => {
    const falls = (table: string): boolean =>
      table === 'sessions' ||
      (raw.pragma(`foreign_key_list(${table})`) as { table: string; on_delete: string }[]).some(
        (reference) => reference.on_delete === 'CASCADE' && falls(reference.table),
      );
    expect(sessionTables().filter((table) => !falls(table))).toEqual([]);
  });

  it('every reference is enforced, on both connections', () => {
    for (const open of [openWriterConnection, openReaderConnection]) {
      const connection = open(file);
      expect(connection.pragma('foreign_keys', { simple: true })).toBe(1);
      connection.close();
    }
  });

  it('a commit waits for the disk, and the log is written ahead', () => {
    const connection = openWriterConnection(file);
    expect(connection.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(connection.pragma('synchronous', { simple: true })).toBe(2);
    connection.close();
  });

  it('the reading connection cannot write', () => {
    const connection = openReaderConnection(file);
    expect(() => connection.exec('DELETE FROM sessions')).toThrow(/readonly/);
    connection.close();
  });

  it('every table of facts is exported, or left out on purpose', () => {
    const exported = new Set(EXPORT_TABLES.map(({ table }) => table));
    const facts = tables().filter((table) => hasColumn(table, 'session_id'));
    expect(facts.filter((table) => !exported.has(table) && !NOT_EXPORTED.includes(table))).toEqual([]);
    for (const { table, columns: named, key } of EXPORT_TABLES) {
      const real = columns(table).map((column) => column.name);
      expect(real, table).toEqual(expect.arrayContaining([...Object.keys(named), ...key]));
    }
  });

  it('an erased session leaves no row in any table, and no byte of its text in the file', async () => {
    const neighbour = await newSession(dal);
    await newConversation(dal, neighbour, [newTurn('stays')]);
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId, [newTurn('unforgettable-pangolin')]);
    const manyWords = Array.from({ length: 600 }, (_, at) => `word${String(at)}`).join(' ');
    await dal.turns.append({
      sessionId,
      conversationId,
      // Of few words, which wait, and of so many that they are in the index at once.
      turns: [newTurn('x'), newTurn(`unforgettable-pangolin ${manyWords}`)],
      jobs: [newJob()],
      idempotency: { key: 'k', requestHash: 'h' },
      now: NOON,
    });
    await dal.agents.put({ sessionId, agent: 'codey', expectedVersion: 0, state: {}, now: NOON });
    await dal.summaries.add({
      sessionId,
      conversationId,
      text: 'unforgettable-pangolin',
      coversThrough: 1,
      firstTurnId: null,
      lastTurnId: null,
      author: 'rule',
      createdAt: NOON,
      basedOnVersion: 0,
    });
    const key = raw
      .prepare('SELECT session_key FROM sessions WHERE session_id = ?')
      .pluck()
      .get(sessionId) as number;
    const rowsOf = (table: string) =>
      hasColumn(table, 'session_id')
        ? (raw.prepare(`SELECT count(*) FROM ${table} WHERE session_id = ?`).pluck().get(sessionId) as number)
        : (raw.prepare(`SELECT count(*) FROM ${table} WHERE session_key = ?`).pluck().get(key) as number);
    const filled = sessionTables().filter((table) => rowsOf(table) > 0);
    expect(filled).toEqual(
      expect.arrayContaining([
        'sessions',
        'conversations',
        'turns',
        'agent_states',
        'context_summaries',
        'jobs',
        'idempotency_keys',
        'turn_terms',
        'recent_turn_terms',
        'turn_index_blocks',
        'turn_index_speakers',
        'turn_index_versions',
      ]),
    );
    const bytes = () => [file, `${file}-wal`].map((name) => readFileSync(name).toString('latin1')).join();
    expect(bytes()).toContain('unforgettable-pangolin');
    await dal.sessions.erase(sessionId);
    expect(bytes()).not.toContain('unforgettable-pangolin');
    expect(sessionTables().filter((table) => rowsOf(table) > 0)).toEqual([]);
    expect(
      (await dal.conversations.list({ sessionId: neighbour, limit: 9, cursor: null })).items,
    ).toHaveLength(1);
    // A key is not given to another session: a derived index that lags behind cannot mix two sessions up.
    await newSession(dal);
    expect(raw.prepare('SELECT max(session_key) FROM sessions').pluck().get()).toBeGreaterThan(key);
  });

  it('erased text also leaves the log when somebody was still reading it', async () => {
    const sessionId = await newSession(dal);
    await newConversation(dal, sessionId, [newTurn('lingering-okapi')]);
    const reading = new Database(file, { readonly: true });
    reading.exec('BEGIN');
    reading.prepare('SELECT count(*) FROM turns').get();
    await dal.sessions.erase(sessionId);
    const bytes = () => [file, `${file}-wal`].map((name) => readFileSync(name).toString('latin1')).join();
    expect(bytes()).toContain('lingering-okapi');
    reading.close();
    await expect.poll(bytes, { timeout: 5_000 }).not.toContain('lingering-okapi');
  });

  it('the files are for their owner only', () => {
    for (const name of [file, `${file}-wal`, `${file}-shm`])
      expect(statSync(name).mode & 0o777, name).toBe(0o600);
    expect(statSync(join(folder, 'sub')).mode & 0o777).toBe(0o700);
  });
});
