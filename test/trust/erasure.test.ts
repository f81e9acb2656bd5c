import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import {
  EVERYTHING_ON,
  liveThrough,
  sayManyWords,
  scriptUpstream,
  TABLES_OF_A_SESSION,
} from './busy-session.ts';
import { filesOf, startWhole, whereIn, type WholeServer } from './whole-server.ts';

/** A word that is nowhere else. The session's own keeps its stem and its small letters in the index. */
const WORD = 'Quuxolapis';
const OTHER = 'Vexillarion';

async function upstreamSaying(word: string) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  scriptUpstream(upstream, word);
  return upstream;
}

function rowsOf(server: WholeServer, look: (record: Database.Database, tables: string[]) => unknown) {
  const record = new Database(join(server.folder, 'ccc.db'), { readonly: true });
  try {
    const tables = record
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .pluck()
      .all() as string[];
    return look(record, tables);
  } finally {
    record.close();
  }
}

describe('a session that is deleted', () => {
  it('leaves not one byte of itself in any file: rows, index, vectors, lessons, events, projection', async () => {
    const upstream = await upstreamSaying(WORD);
    const server = await startWhole(upstream, EVERYTHING_ON);
    const { sessionId, base, conversationId } = await liveThrough(server, upstream, WORD);
    await sayManyWords(server, conversationId, WORD);
    const stays = await server.call('POST', '/api/v2/sessions', { user_preferences: { name: OTHER } });
    // The projection has followed, vectors included, and has written its file.
    await expect.poll(async () => (await server.parts.causal.status()).lag, { timeout: 10_000 }).toBe(0);
    const key = rowsOf(server, (record, tables) => {
      const empty = TABLES_OF_A_SESSION.filter(
        (table) => record.prepare(`SELECT count(*) FROM ${table}`).pluck().get() === 0,
      );
      expect(empty).toEqual([]);
      // Each table that there is has been thought of: those of no session, and those above.
      const known = [
        ...TABLES_OF_A_SESSION,
        'sessions',
        'jobs',
        'record_counters',
        'cycle_counts',
        'day_spending',
        'caller_spending',
      ];
      const rare = ['pending_imports', 'reindex_progress', 'budget_reservations', 'causal_removals'];
      const derived = ['causal_progress', 'causal_vector_progress', 'vector_progress'];
      const others = tables.filter((table) => ![...known, ...rare, ...derived].includes(table));
      expect(others.filter((table) => !/migrations|schema/.test(table))).toEqual([]);
      return record.prepare('SELECT session_key FROM sessions WHERE session_id = ?').pluck().get(sessionId);
    });
    const vectors = rowsOf(server, (record) =>
      record
        .prepare(`SELECT DISTINCT vector FROM turn_vectors UNION SELECT vector FROM causal_vectors`)
        .pluck()
        .all(),
    ) as Buffer[];
    const bytesOfVectors = vectors
      .filter(({ length }) => length > 0)
      .map((bytes) => bytes.toString('latin1'));
    expect(bytesOfVectors.length).toBeGreaterThan(0);
    expect(whereIn(server.folder, WORD).length).toBeGreaterThan(0);

    await server.call('DELETE', base);
    expect((await server.send('GET', base)).status).toBe(404);
    await server.settled();

    const look = () => {
      expect(whereIn(server.folder, WORD)).toEqual([]);
      expect(whereIn(server.folder, WORD.slice(0, 7))).toEqual([]);
      expect(whereIn(server.folder, sessionId)).toEqual([]);
      for (const vector of bytesOfVectors) {
        const holding = filesOf(server.folder).filter(({ bytes }) => bytes.includes(vector));
        expect(holding.map(({ path }) => path)).toEqual([]);
      }
      // The search itself finds what is there.
      expect(whereIn(server.folder, OTHER).length).toBeGreaterThan(0);
    };
    // While it runs, and after it has ended.
    look();
    const left = rowsOf(server, (record, tables) =>
      tables.filter((table) => {
        const columns = record.pragma(`table_info(${table})`) as { name: string }[];
        const has = (name: string) => columns.some((column) => column.name === name);
        const count = (column: string, value: unknown) =>
          record.prepare(`SELECT count(*) FROM ${table} WHERE ${column} = ?`).pluck().get(value) as number;
        return (
          (has('session_id') && count('session_id', sessionId) > 0) ||
          (has('session_key') && count('session_key', key) > 0)
        );
      }),
    );
    expect(left).toEqual([]);
    expect(await server.parts.dal.maintenance.check()).toEqual([]);
    // Nothing that was said was ever logged.
    expect(server.log.join('')).not.toContain(WORD);
    await server.stop();
    look();
    expect(String(stays.session_id)).not.toBe(sessionId);
  });
});

describe('a session that moves', () => {
  it('is equal after export, import and export, whatever it holds, both ways', async () => {
    const upstream = await upstreamSaying(WORD);
    const first = await startWhole(upstream, EVERYTHING_ON);
    const { base, sessionId } = await liveThrough(first, upstream, WORD);
    const second = await startWhole(upstream, { ...EVERYTHING_ON, CCC_FACTS: 'off' });
    const exported = (from: WholeServer) =>
      from.send('POST', `${base}/export`).then((response) => response.text());
    const bring = (to: WholeServer, lines: string) =>
      to.call('POST', '/api/v2/sessions/import', lines, { 'content-type': 'application/x-ndjson' });

    const lines = await exported(first);
    expect((await bring(second, lines)).session_id).toBe(sessionId);
    expect(await exported(second)).toBe(lines);
    // What the background makes of it anew is the same as before, but for when it was counted.
    await second.settled();
    const timeless = (text: string) => text.replaceAll(/"(?:updated_at|version)":("[^"]*"|\d+),?/g, '');
    const again = await exported(second);
    expect(timeless(again)).toBe(timeless(lines));
    // And back.
    await first.call('DELETE', base);
    await bring(first, again);
    expect(await exported(first)).toBe(again);
    expect(await first.parts.dal.maintenance.check()).toEqual([]);
    // It is found there as it is here.
    await first.settled();
    const asked = `${base}/context?directive=${encodeURIComponent(`What of ${WORD}?`)}`;
    const [here, there] = await Promise.all([first.call('GET', asked), second.call('GET', asked)]);
    const turns = (context: { relevant_turns: { turn_id: string }[] }) =>
      context.relevant_turns.map(({ turn_id: id }) => id);
    expect(turns(here)).toEqual(turns(there));
    expect(turns(here).length).toBeGreaterThan(0);
  });
});
