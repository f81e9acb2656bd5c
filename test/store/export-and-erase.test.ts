import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { ExportRow, ImportRow, MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

/** A session with something in every table that an export holds. */
async function richSession(dal: MemoryDAL): Promise<string> {
  const sessionId = newId('sess');
  await dal.sessions.create({
    sessionId,
    tokenHash: `hash of ${sessionId}`,
    userPreferences: { tone: 'dry' },
    initialContext: { about: ['x', 1, null] },
    now: NOON,
  });
  for (let c = 0; c < 3; c++) {
    const turns = Array.from({ length: 4 }, (_, i) =>
      newTurn(`turn ${i} of ${c}, é`, { metadata: { c, i } }),
    );
    const conversationId = await newConversation(dal, sessionId, turns);
    await dal.summaries.add({
      sessionId,
      conversationId,
      text: `summary of ${c}`,
      coversThrough: 4,
      firstTurnId: turns[0]!.turnId,
      lastTurnId: turns[3]!.turnId,
      author: 'model',
      createdAt: NOON,
      basedOnVersion: 0,
    });
  }
  for (const agent of ['beatrice', 'codey'] as const) {
    await dal.agents.put({ sessionId, agent, expectedVersion: 0, state: { lessons: [agent] }, now: NOON });
  }
  await dal.jobs.enqueue(sessionId, [newJob()], NOON);
  return sessionId;
}

async function exportAll(dal: MemoryDAL, sessionId: string, pageSize: number): Promise<ExportRow[]> {
  const rows: ExportRow[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<MemoryDAL['maintenance']['exportPage']>> =
      await dal.maintenance.exportPage(sessionId, cursor, pageSize);
    rows.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

/** What an importer does: turns bring the index entries that an export leaves out. */
const withTerms = (rows: ExportRow[]): ImportRow[] =>
  rows.map((row) =>
    row.table === 'turns' ? { ...row, terms: newTurn(String(row.row['content'])).terms } : row,
  );

describe.each(IMPLEMENTATIONS)('export, import and erasure: $name', ({ prepare }) => {
  const record = prepare();
  const elsewhere = prepare();
  let dal: MemoryDAL;
  let other: MemoryDAL;
  beforeAll(async () => {
    dal = await record.open();
    other = await elsewhere.open();
  });
  afterAll(async () => {
    await record.remove();
    await elsewhere.remove();
  });

  it('an export has the same rows in the same order, whatever the size of its pages', async () => {
    const sessionId = await richSession(dal);
    const whole = await exportAll(dal, sessionId, 1000);
    expect(whole[0]).toMatchObject({
      table: 'sessions',
      row: {
        session_id: sessionId,
        status: 'active',
        created_at: '2026-05-08T12:00:00.000Z',
        initial_context: { about: ['x', 1, null] },
      },
    });
    expect(whole.filter((row) => row.table === 'turns')).toHaveLength(12);
    for (const size of [1, 2, 3, 7, whole.length, whole.length - 1]) {
      expect(await exportAll(dal, sessionId, size)).toEqual(whole);
    }
    expect(JSON.stringify(whole)).not.toContain('hash of');
    expect(await exportAll(dal, 'sess_unknown', 10)).toEqual([]);
  });

  it('what is imported is equal to what was exported, and goes on from there', async () => {
    const sessionId = await richSession(dal);
    const rows = await exportAll(dal, sessionId, 1000);
    for (let i = 0; i < rows.length; i += 5) {
      await other.maintenance.importBatch(sessionId, withTerms(rows.slice(i, i + 5)));
    }
    const jobs = [newJob({ kind: 'embed' })];
    const session = await other.maintenance.importCommit({ sessionId, tokenHash: 'new', jobs, now: NOON });
    expect(session).toEqual(await dal.sessions.get(sessionId));
    expect(await exportAll(other, sessionId, 4)).toEqual(rows);
    expect(await other.sessions.findByTokenHash('new')).toEqual(session);
    const found = await other.index.lookup(sessionId, ['turn', 'of', 'nowhere']);
    expect(found).toMatchObject({ terms: [{ term: 'turn' }, { term: 'of' }] });
    expect(found.minutes).toHaveLength(12);
    expect(found).toEqual(await dal.index.lookup(sessionId, ['turn', 'of', 'nowhere']));
    expect(await other.jobs.counts()).toEqual([{ kind: 'embed', state: 'ready', count: 1 }]);
    const [newest] = (await dal.conversations.list({ sessionId, limit: 1, cursor: null })).items;
    for (const each of [dal, other]) {
      const { turns } = await each.turns.append({
        sessionId,
        conversationId: newest!.conversationId,
        turns: [newTurn('next')],
        jobs: [],
        now: NOON,
      });
      expect(turns[0]?.turnNumber).toBe(5);
    }
    expect(await other.maintenance.check()).toEqual([]);
  });

  it('nothing of an import is seen before it is committed, and nothing is left of one that is given up', async () => {
    const sessionId = await richSession(dal);
    const rows = withTerms(await exportAll(dal, sessionId, 1000));
    const before = await other.maintenance.counts();
    await other.maintenance.importBatch(sessionId, rows);
    const { conversation_id: conversationId, turn_id: turnId } = rows.find((row) => row.table === 'turns')!
      .row as {
      conversation_id: string;
      turn_id: string;
    };
    expect(await other.sessions.get(sessionId)).toBeNull();
    expect(
      (await other.sessions.list({ limit: 100, cursor: null })).items.map((s) => s.sessionId),
    ).not.toContain(sessionId);
    expect(await other.conversations.get(conversationId)).toBeNull();
    expect((await other.conversations.list({ sessionId, limit: 9, cursor: null })).items).toEqual([]);
    expect(await other.turns.get(sessionId, turnId)).toBeNull();
    expect(await other.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 9 })).toEqual([]);
    expect(await exportAll(other, sessionId, 10)).toEqual([]);
    expect(await other.index.lookup(sessionId, ['turn'])).toMatchObject({
      minutes: new Int32Array(0),
      terms: [],
    });
    expect(await other.sessions.setStatus(sessionId, 'active', NOON)).toBeNull();
    expect(await other.maintenance.counts()).toEqual(before);
    await expect(
      other.turns.append({ sessionId, conversationId, turns: [newTurn('x')], jobs: [], now: NOON }),
    ).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(other.maintenance.importBatch(sessionId, rows.slice(0, 1))).rejects.toMatchObject({
      code: 'session_exists',
    });

    await other.maintenance.importAbort(sessionId);
    expect(await other.maintenance.counts()).toEqual(before);
    expect(await other.maintenance.check()).toEqual([]);
    await other.maintenance.importBatch(sessionId, rows);
    await other.maintenance.importCommit({ sessionId, tokenHash: 'second try', jobs: [], now: NOON });
    expect(await other.sessions.get(sessionId)).toEqual(await dal.sessions.get(sessionId));
  });

  it('refuses an id that exists, rows that do not fit, and numbers with holes', async () => {
    const sessionId = await richSession(dal);
    const rows = withTerms(await exportAll(dal, sessionId, 1000));
    await expect(dal.maintenance.importBatch(sessionId, rows)).rejects.toMatchObject({
      code: 'session_exists',
    });
    await dal.maintenance.importAbort(sessionId);
    expect(await dal.sessions.get(sessionId)).not.toBeNull();

    const spoilt = async (change: (rows: ImportRow[]) => ImportRow[]) => {
      await other.maintenance.importAbort(sessionId);
      await other.maintenance.importBatch(sessionId, change(structuredClone(rows)));
      await other.maintenance.importCommit({ sessionId, tokenHash: 'spoilt', jobs: [], now: NOON });
    };
    const refused = { code: 'invalid_request' };
    const turnAt = rows.findIndex((row) => row.table === 'turns');
    const edit = (fields: ImportRow['row']) => (all: ImportRow[]) => {
      Object.assign(all[turnAt]!.row, fields);
      return all;
    };
    await expect(spoilt((all) => all.filter((_, i) => i !== turnAt))).rejects.toMatchObject(refused);
    await expect(spoilt((all) => [...all, all[turnAt]!])).rejects.toMatchObject(refused);
    await expect(spoilt(edit({ conversation_id: 'conv_unknown' }))).rejects.toMatchObject(refused);
    await expect(spoilt(edit({ timestamp: 'yesterday' }))).rejects.toMatchObject({
      param: 'turns.timestamp',
    });
    await expect(spoilt(edit({ content: 7 }))).rejects.toMatchObject({ param: 'turns.content' });
    await expect(spoilt(edit({ agent: 'mallory' }))).rejects.toMatchObject(refused);
    await expect(spoilt(edit({ 'x) VALUES (1); --': 1 }))).rejects.toMatchObject(refused);
    await expect(spoilt((all) => [...all, { table: 'jobs', row: {} }])).rejects.toMatchObject(refused);
    await expect(spoilt((all) => all.map(({ terms: _, ...row }) => row))).rejects.toMatchObject(refused);
    await expect(
      spoilt((all) => {
        all[0]!.row['session_id'] = 'sess_other';
        return all;
      }),
    ).rejects.toMatchObject({ param: 'sessions.session_id' });
    await expect(spoilt((all) => all.slice(1))).rejects.toMatchObject({ code: 'session_not_found' });
    await other.maintenance.importAbort(sessionId);
    expect(await other.sessions.get(sessionId)).toBeNull();
    expect(await other.maintenance.check()).toEqual([]);
  });

  it('an erased session is gone, its id is free, and its neighbour is untouched', async () => {
    const sessionId = await richSession(dal);
    const neighbour = await richSession(dal);
    const kept = await exportAll(dal, neighbour, 100);
    const before = await dal.maintenance.counts();
    expect(await dal.sessions.erase(sessionId)).toBe(true);
    expect(await dal.sessions.erase(sessionId)).toBe(false);
    expect(await dal.sessions.get(sessionId)).toBeNull();
    expect(await exportAll(dal, sessionId, 100)).toEqual([]);
    expect(await exportAll(dal, neighbour, 100)).toEqual(kept);
    const after = await dal.maintenance.counts();
    expect(after).toEqual({
      sessions: before.sessions - 1,
      conversations: before.conversations - 3,
      turns: before.turns - 12,
    });
    expect(await dal.maintenance.check()).toEqual([]);
  });

  it('an import that a crash left open is cleared away when the record is opened again', async () => {
    const sessionId = await richSession(dal);
    const rows = withTerms(await exportAll(dal, sessionId, 1000));
    const fresh = prepare();
    try {
      const first = await fresh.open();
      await first.maintenance.importBatch(sessionId, rows);
      await first.close();
      await fresh.abandonImports();
      const second = await fresh.open();
      await expect(
        second.maintenance.importCommit({ sessionId, tokenHash: 't', jobs: [], now: NOON }),
      ).rejects.toMatchObject({ code: 'session_not_found' });
      await second.maintenance.importBatch(sessionId, rows);
      await second.maintenance.importCommit({ sessionId, tokenHash: 't', jobs: [], now: NOON });
      expect(await second.maintenance.check()).toEqual([]);
      await newSession(second);
    } finally {
      await fresh.remove();
    }
  });
});
