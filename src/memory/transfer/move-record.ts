import { createHash } from 'node:crypto';
import type { ImportRow, MemoryDAL } from '../../store/memory-dal.ts';
import { isIndexed, termsOfRow } from '../reindex/terms-of-row.ts';
import { textsOf } from './read-lines.ts';

/** Rows in one read of a session, and of its vectors; sessions in one read of the list. */
const ROWS_AT_ONCE = 200;
const VECTORS_AT_ONCE = 500;
const SESSIONS_AT_ONCE = 100;
/** Sessions that are moved at the same time: while one waits for the disk, another is analysed. */
const SIDE_BY_SIDE = 4;

export interface MoveProgress {
  sessions: number;
  /** Of these, those that an earlier run had moved. */
  found: number;
  turns: number;
}

export interface Moved extends MoveProgress {
  rows: number;
  /** Sessions that are not the same on both sides, and why. Empty when all went well. */
  problems: { sessionId: string; reason: string }[];
}

/**
 * Copies every session of a record into another one, compares both, and copies what was spent. A session is there wholly
 * or not at all, so a run that was interrupted is taken up by running it again. Nothing in the first record is changed,
 * and a session of the second one that differs is named and left as it is.
 */
export async function moveRecord(
  from: MemoryDAL,
  to: MemoryDAL,
  { now, onProgress }: { now: number; onProgress?: (progress: MoveProgress) => void },
): Promise<Moved> {
  const moved: Moved = { sessions: 0, found: 0, turns: 0, rows: 0, problems: [] };
  const waiting = sessionIds(from);
  const work = async () => {
    for (let next = await waiting.next(); next.done !== true; next = await waiting.next()) {
      const sessionId = next.value;
      const found = (await to.sessions.get(sessionId)) !== null;
      if (!found) await moveSession(from, to, sessionId, now);
      const [before, after] = [await contentsOf(from, sessionId), await contentsOf(to, sessionId)];
      if (before.digest === after.digest) await moveBelongings(from, to, sessionId);
      else moved.problems.push({ sessionId, reason: difference(before, after) });
      moved.sessions += 1;
      moved.found += found ? 1 : 0;
      moved.turns += before.rows['turns'] ?? 0;
      moved.rows += Object.values(before.rows).reduce((sum, rows) => sum + rows, 0);
      onProgress?.(moved);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  await to.transfer.takeSpending(await from.transfer.spending());
  return moved;
}

async function* sessionIds(dal: MemoryDAL): AsyncGenerator<string> {
  let after = '';
  for (;;) {
    // By id: the list for people goes by last activity.
    const page = await dal.retention.sessions(after, SESSIONS_AT_ONCE);
    for (const { sessionId } of page) yield sessionId;
    const last = page.at(-1);
    if (!last) return;
    after = last.sessionId;
  }
}

async function moveSession(from: MemoryDAL, to: MemoryDAL, sessionId: string, now: number): Promise<void> {
  const belongings = await from.transfer.belongings(sessionId);
  if (!belongings) return;
  // Of a run that was cut off in the middle of this session.
  await to.maintenance.importAbort(sessionId);
  for await (const rows of pagesOf(from, sessionId)) {
    const indexed: ImportRow[] = [];
    for (const { table, row } of rows) {
      indexed.push(
        isIndexed(table)
          ? { table, row, terms: await termsOfRow({ table, row: textsOf(row) }) }
          : { table, row },
      );
    }
    await to.maintenance.importBatch(sessionId, indexed);
  }
  await to.maintenance.importCommit({ sessionId, tokenHash: belongings.tokenHash, jobs: [], now });
}

async function moveBelongings(from: MemoryDAL, to: MemoryDAL, sessionId: string): Promise<void> {
  const belongings = await from.transfer.belongings(sessionId);
  if (belongings) await to.transfer.takeBelongings(sessionId, belongings);
  for (let after = ''; ;) {
    const vectors = await from.transfer.conversationVectors(sessionId, after);
    if (!vectors) break;
    await to.vectors.write({ sessionId, ...vectors });
    after = vectors.conversationId;
  }
  for (let after = 0; ;) {
    const part = await from.transfer.eventVectors(sessionId, after, VECTORS_AT_ONCE);
    const last = part?.vectors.at(-1);
    if (!part || !last) break;
    await to.causalVectors.write({ sessionId, ...part });
    after = last.eventNo;
  }
}

interface Contents {
  digest: string;
  rows: Record<string, number>;
}

/** The SHA-256 of a session's rows, and how many there are of each table. */
async function contentsOf(dal: MemoryDAL, sessionId: string): Promise<Contents> {
  const hash = createHash('sha256');
  const rows: Record<string, number> = {};
  for await (const page of pagesOf(dal, sessionId)) {
    for (const row of page) {
      // PostgreSQL has no U+0000 (docs/scaling.md).
      hash.update(`${JSON.stringify(row).replaceAll('\\u0000', '\uFFFD')}\n`);
      rows[row.table] = (rows[row.table] ?? 0) + 1;
    }
  }
  return { digest: hash.digest('hex'), rows };
}

async function* pagesOf(dal: MemoryDAL, sessionId: string) {
  let cursor: string | null = null;
  do {
    const page = await dal.maintenance.exportPage(sessionId, cursor, ROWS_AT_ONCE);
    yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

function difference(before: Contents, after: Contents): string {
  const tables = new Set([...Object.keys(before.rows), ...Object.keys(after.rows)]);
  const other = [...tables].find((table) => before.rows[table] !== after.rows[table]);
  if (other === undefined) return 'the same numbers of rows, and not the same in them';
  return `${String(before.rows[other] ?? 0)} rows of ${other} here, ${String(after.rows[other] ?? 0)} there`;
}
