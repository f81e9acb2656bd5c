import type { Database } from 'better-sqlite3';
import type { TermCounts } from '../records.ts';
import { prepared } from './connection.ts';

/** Keeps in a session's row, in an UPDATE of it, the oldest `@version` of its index entries; 0 says that there were none before. */
export const NOTE_VERSION =
  'analyser_version = CASE analyser_version WHEN 0 THEN @version ELSE min(analyser_version, @version) END';

/** Notes that a session has index entries of this version. */
export function noteVersion(database: Database, sessionKey: number, { version = 1 }: TermCounts): void {
  prepared(
    database,
    `UPDATE sessions SET analyser_version = @version WHERE session_key = @sessionKey
        AND (analyser_version = 0 OR analyser_version > @version)`,
  ).run({ version, sessionKey });
}
