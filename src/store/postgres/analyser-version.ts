import type { TermCounts } from '../records.ts';
import type { Queries } from './queries.ts';

/** Keeps in a session's row, in an UPDATE of it, the oldest version of its index entries; 0 says that there were none before. */
export const NOTE_VERSION = (version: string): string =>
  `analyser_version = CASE analyser_version WHEN 0 THEN ${version} ELSE least(analyser_version, ${version}) END`;

/** Notes that a session has index entries of this version. */
export async function noteVersion(
  db: Queries,
  sessionId: string,
  { version = 1 }: TermCounts,
): Promise<void> {
  await db.run(
    `UPDATE sessions SET analyser_version = $2 WHERE session_id = $1
        AND (analyser_version = 0 OR analyser_version > $2)`,
    sessionId,
    version,
  );
}
