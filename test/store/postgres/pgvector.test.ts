import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import { openPostgresStore } from '../../../src/store/postgres/open-postgres-store.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { freePort } from '../../support/postgres-server.ts';
import { newConversation, newSession, newTurn, temporaryFolder } from '../implementations.ts';

const MODEL = 'tiny';

/** Vectors of length 1, the same for each run. */
function unit(seed: number, size = 8): Float32Array<ArrayBuffer> {
  const values = Float32Array.from({ length: size }, (_, at) => Math.sin(seed * 7 + at * 13 + 1));
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

/** PGlite is PostgreSQL in WebAssembly, and brings pgvector. */
describe('vectors where the database has pgvector', () => {
  let pglite: PGlite;
  let server: PGLiteSocketServer;
  let url: string;
  let dal: MemoryDAL;
  let sqlite: MemoryDAL;
  beforeAll(async () => {
    pglite = await PGlite.create({ extensions: { vector } });
    const port = await freePort();
    server = new PGLiteSocketServer({ db: pglite, port, host: '127.0.0.1', maxConnections: 4 });
    await server.start();
    url = `postgres://postgres@127.0.0.1:${String(port)}/postgres`;
    dal = await openPostgresStore({ url, connections: 1 });
    sqlite = await openSqliteStore({ file: `${temporaryFolder()}/record.db`, threads: false });
  }, 120_000);
  afterAll(async () => {
    await dal.close();
    await sqlite.close();
    await server.stop();
    await pglite.close();
  });

  async function told(record: MemoryDAL, count: number) {
    const sessionId = await newSession(record);
    const turns = Array.from({ length: count }, (_, at) => newTurn(`turn ${String(at)}`));
    const conversationId = await newConversation(record, sessionId, turns);
    await record.vectors.write({
      sessionId,
      conversationId,
      model: MODEL,
      throughTurn: count,
      vectors: turns.map((_, at) => ({
        turnNumber: at + 1,
        vector: at === 2 ? new Float32Array(0) : unit(at),
      })),
    });
    return { sessionId, conversationId };
  }

  async function compared(record: MemoryDAL, sessionId: string): Promise<[number, number][]> {
    const found = await record.vectors.compare({ sessionId, model: MODEL, vector: unit(100) });
    return [...(found?.turns ?? [])]
      .map((turn, at): [number, number] => [turn, found?.cosines[at] ?? NaN])
      .sort((a, b) => a[0] - b[0]);
  }
  const copies = async () =>
    Number((await pglite.query<{ count: number }>('SELECT count(*) FROM turn_embeddings')).rows[0]?.count);

  it('are compared by the database, and as they are on SQLite', async () => {
    const there = await told(dal, 20);
    const here = await told(sqlite, 20);
    const [byDatabase, bySqlite] = [
      await compared(dal, there.sessionId),
      await compared(sqlite, here.sessionId),
    ];
    expect(byDatabase.map(([turn]) => turn)).toEqual(bySqlite.map(([turn]) => turn));
    expect(byDatabase).toHaveLength(19);
    byDatabase.forEach(([, cosine], at) => {
      expect(cosine).toBeCloseTo(bySqlite[at]?.[1] ?? NaN, 5);
    });
    expect(await copies()).toBe(19);
    const other = await dal.vectors.compare({
      sessionId: there.sessionId,
      model: 'another',
      vector: unit(1),
    });
    expect(other?.turns).toHaveLength(0);
    await dal.sessions.erase(there.sessionId);
    expect(await copies()).toBe(0);
  });

  it('that are written anew, or taken away by retention, are so there too', async () => {
    const { sessionId, conversationId } = await told(dal, 5);
    await dal.vectors.write({
      sessionId,
      conversationId,
      model: MODEL,
      throughTurn: 5,
      vectors: [{ turnNumber: 1, vector: unit(100) }],
    });
    expect((await compared(dal, sessionId))[0]?.[1]).toBeCloseTo(1, 5);
    const before = Date.now() + 1;
    await dal.retention.removeTurn({ sessionId, conversationId, turnNumber: 1, before, terms: [] });
    expect((await compared(dal, sessionId)).map(([turn]) => turn)).toEqual([2, 4, 5]);
    await dal.sessions.erase(sessionId);
  });

  it('that were stored before the extension came are copied when a server starts', async () => {
    const { sessionId } = await told(dal, 6);
    const before = await compared(dal, sessionId);
    await dal.close();
    // All connections to PGlite share one session of it, and what was prepared in that.
    await pglite.exec('DEALLOCATE ALL');
    await pglite.exec('DROP TRIGGER turn_embeddings_forgotten ON turn_vectors; DROP TABLE turn_embeddings');
    dal = await openPostgresStore({ url, connections: 1 });
    expect(await compared(dal, sessionId)).toEqual(before);
  });
});
