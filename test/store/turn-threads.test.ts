import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import {
  IMPLEMENTATIONS,
  newConversation,
  newSession,
  newTurn,
  NOON,
  temporaryFolder,
  type TestRecord,
} from './implementations.ts';

describe.each(IMPLEMENTATIONS)('finding turns by their thread key: $name', ({ prepare }) => {
  let record: TestRecord;
  let dal: MemoryDAL;
  beforeEach(async () => {
    record = prepare();
    dal = await record.open();
  });
  afterEach(() => record.remove());

  const append = async (sessionId: string, conversationId: string, content: string, key: string | null) =>
    dal.turns.append({
      sessionId,
      conversationId,
      turns: [newTurn(content, { metadata: key === null ? {} : { thread_key: key } })],
      jobs: [],
      now: NOON,
    });

  it('gives the newest first, of this session only', async () => {
    const mine = await newSession(dal);
    const other = await newSession(dal);
    const conversation = await newConversation(dal, mine);
    const foreign = await newConversation(dal, other);
    await append(mine, conversation, 'first', 'k');
    await append(mine, conversation, 'without', null);
    await append(mine, conversation, 'second', 'k');
    await append(other, foreign, 'elsewhere', 'k');
    const contents = async (limit: number) =>
      (await dal.turns.byThreadKey(mine, 'k', limit)).map((turn) => turn.content);
    expect(await contents(10)).toEqual(['second', 'first']);
    expect(await contents(1)).toEqual(['second']);
    expect(await dal.turns.byThreadKey(mine, 'unknown', 10)).toEqual([]);
  });
});

it('finds them through an index, not by reading the session', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'record.db');
  const dal = await openSqliteStore({ file, threads: false });
  await dal.close();
  const database = new Database(file, { readonly: true });
  const plan = database
    .prepare(
      `EXPLAIN QUERY PLAN SELECT * FROM turns
        WHERE session_id = ? AND json_extract(metadata, '$.thread_key') = ? ORDER BY stored_at DESC`,
    )
    .all('s', 'k') as { detail: string }[];
  database.close();
  rmSync(folder, { recursive: true, force: true });
  expect(plan.map((row) => row.detail).join()).toContain('turns_by_thread');
});
