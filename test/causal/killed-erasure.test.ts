import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { openDuck } from '../../src/causal/projection/duckdb.ts';
import { CausalProjection } from '../../src/causal/projection/projection.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { join } from 'node:path';
import { startMeaning, tinyModel } from './meaning-support.ts';
import { newSession, NOON } from './support.ts';

const texts = Array.from({ length: 50 }, (_, at) => ({
  text: `kitten ${String(at)}`,
  actor: 'Ana',
  happenedAt: NOON + at * 60_000,
}));

/** Vectors that stand in the file of the projection, deleted or not, and blocks of it with whatever was there. */
async function kept(file: string) {
  const duck = await openDuck(file);
  const [rows] = await duck.rows(
    `SELECT sum(count) FROM pragma_storage_info('vectors_8')
      WHERE column_name = 'event_no' AND segment_type = 'INTEGER'`,
  );
  const [free] = await duck.rows(
    `SELECT free_blocks FROM pragma_database_size() WHERE database_name = 'projection'`,
  );
  duck.close();
  return { rows: rows?.[0], free: free?.[0] };
}

describe('a kill between the record and its projection', () => {
  it.each([
    ['a session was erased', 50, (dal: Dal, id: string) => dal.sessions.erase(id)],
    [
      'old events were removed',
      99,
      (dal: Dal, sessionId: string) =>
        dal.retention.removeEvents({ sessionId, eventNos: [1], chain: [1], before: NOON + 1, now: NOON }),
    ],
  ])(
    'when %s: the first look of the next start takes the vectors out of the file',
    async (_, left, remove) => {
      const server = await startMeaning(tinyModel());
      const { dal, causal, folder, projectionFile } = server;
      const [one, two] = [await newSession(dal), await newSession(dal)];
      for (const id of [one, two]) await causal.addEvents(id, texts);
      await server.embedded();
      for (const id of [one, two]) await causal.meaning!.toQuestion(id, 'cat', 5);
      await server.stop();
      expect(await kept(projectionFile)).toMatchObject({ rows: 100 });

      // The record has done it; nobody has told the projection.
      const record = await openSqliteStore({ file: join(folder, 'record.db'), threads: false });
      expect(await remove(record, one)).toBe(true);
      const projection = new CausalProjection({
        store: record.causal,
        vectors: record.causalVectors,
        file: projectionFile,
        logger: silentLogger,
      });
      await projection.catchUpAll();
      await projection.close();
      await record.close();
      expect(await kept(projectionFile)).toEqual({ rows: left, free: 0 });
    },
  );
});

type Dal = Awaited<ReturnType<typeof openSqliteStore>>;
