import { CccError } from '../../base/ccc-error.ts';
import type { ImportRow } from '../../store/memory-dal.ts';
import type { Json, JsonObject } from '../../store/records.ts';
import { analyse } from '../../text/analyse.ts';
import type { MemoryDeps } from '../deps.ts';
import type { MemoryService } from '../memory-service.ts';
import { found } from '../sessions.ts';
import { summariseJob } from '../summaries/jobs.ts';
import { newToken, tokenHash } from '../token.ts';

/** Rows in one read of an export. */
const EXPORT_ROWS = 500;
/** Rows in one write of an import: other writers wait while it is done. */
const IMPORT_ROWS = 100;

type TransferMethods = Pick<MemoryService, 'exportSession' | 'importSession'>;

export function transferMethods({ dal, clock, nudgeJobs }: MemoryDeps): TransferMethods {
  return {
    async *exportSession(sessionId) {
      found(await dal.sessions.get(sessionId));
      let cursor: string | null = null;
      do {
        const page = await dal.maintenance.exportPage(sessionId, cursor, EXPORT_ROWS);
        for (const row of page.items) yield JSON.stringify(row);
        cursor = page.nextCursor;
      } while (cursor !== null);
    },

    async importSession(lines) {
      const conversations: string[] = [];
      let sessionId: string | null = null;
      let batch: ImportRow[] = [];
      let number = 0;
      const flush = async () => {
        if (sessionId !== null && batch.length > 0) await dal.maintenance.importBatch(sessionId, batch);
        batch = [];
      };
      try {
        for await (const line of lines) {
          number += 1;
          if (line.trim() === '') continue;
          const row = readLine(line, number);
          sessionId ??= sessionIdOf(row);
          if (row.table === 'conversations') conversations.push(String(row.row['conversation_id']));
          batch.push(row);
          if (batch.length >= IMPORT_ROWS) await flush();
        }
        await flush();
        if (sessionId === null) throw new CccError('invalid_request', 'The import is empty.');
        const token = newToken();
        const now = clock.now();
        const session = await dal.maintenance.importCommit({
          sessionId,
          tokenHash: tokenHash(token),
          jobs: conversations.map((id) => summariseJob(id, now)),
          now,
        });
        nudgeJobs();
        return { session, token };
      } catch (error) {
        const begun = sessionId !== null && !(error instanceof CccError && error.code === 'session_exists');
        if (begun && sessionId !== null) await dal.maintenance.importAbort(sessionId);
        throw error;
      }
    },
  };
}

function readLine(line: string, number: number): ImportRow {
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch (error) {
    throw new CccError('invalid_json', `Line ${String(number)} is not JSON.`, { cause: error });
  }
  const { table, row } = (value ?? {}) as { table?: Json; row?: Json };
  if (typeof table !== 'string' || typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new CccError('invalid_request', `Line ${String(number)} is not a row of an export.`);
  }
  const indexed = INDEXED[table];
  return indexed === undefined ? { table, row } : { table, row, terms: analyse(textOf(row, indexed)) };
}

/** Tables whose rows bring index entries that an export does not hold, and the column these are made from. */
const INDEXED: Record<string, string> = { turns: 'content', causal_events: 'text' };

function textOf(row: JsonObject, column: string): string {
  const text = row[column];
  return typeof text === 'string' ? text : '';
}

function sessionIdOf({ table, row }: ImportRow): string {
  const id = row['session_id'];
  if (table !== 'sessions' || typeof id !== 'string') {
    throw new CccError('invalid_request', 'An export begins with the row of its session.');
  }
  return id;
}
