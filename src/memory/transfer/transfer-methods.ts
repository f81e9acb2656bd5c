import { CccError } from '../../base/ccc-error.ts';
import type { MemoryDeps } from '../deps.ts';
import type { MemoryService } from '../memory-service.ts';
import { found } from '../sessions.ts';
import { summariseJob } from '../summaries/jobs.ts';
import { newToken, tokenHash } from '../token.ts';
import { headerLine } from './header.ts';
import { readLines } from './read-lines.ts';
import { SettledRows } from './settled-rows.ts';

/** Rows in one read of an export. */
const EXPORT_ROWS = 200;

type TransferMethods = Pick<MemoryService, 'exportSession' | 'importSession'>;

export function transferMethods({
  dal,
  clock,
  nudgeJobs,
  nudgeRetention,
  jobsOfImport,
  jobsOfImportedSession,
}: MemoryDeps): TransferMethods {
  return {
    async *exportSession(sessionId) {
      found(await dal.sessions.get(sessionId));
      yield headerLine();
      const settled = new SettledRows();
      let cursor: string | null = null;
      do {
        const page = await dal.maintenance.exportPage(sessionId, cursor, EXPORT_ROWS);
        for (const row of page.items) if (settled.takes(row)) yield JSON.stringify(row);
        cursor = page.nextCursor;
      } while (cursor !== null);
      // Erased meanwhile: what was sent is no whole export, and must not pass for one.
      found(await dal.sessions.get(sessionId));
    },

    async importSession(lines) {
      const conversations: string[] = [];
      let begun: string | null = null;
      try {
        for await (const { sessionId, rows } of readLines(lines)) {
          await dal.maintenance.importBatch(sessionId, rows);
          // Not before: of a first batch that was refused nothing stands, and what has its id is not ours.
          begun = sessionId;
          for (const { table, row } of rows) {
            if (table === 'conversations') conversations.push(String(row['conversation_id']));
          }
        }
        if (begun === null) throw new CccError('invalid_request', 'The import is empty.');
        const token = newToken();
        const now = clock.now();
        const session = await dal.maintenance.importCommit({
          sessionId: begun,
          tokenHash: tokenHash(token),
          jobs: [
            ...conversations.flatMap((id) => [summariseJob(id, now), ...jobsOfImport(id, now)]),
            ...jobsOfImportedSession(now),
          ],
          now,
        });
        nudgeJobs();
        nudgeRetention();
        return { session, token };
      } catch (error) {
        if (begun !== null) await dal.maintenance.importAbort(begun);
        throw error;
      }
    },
  };
}
