import { join } from 'node:path';
import { silentLogger } from '../../base/logger.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { JUDGES, RELATIONS } from '../../store/causal-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Duck } from '../projection/duckdb.ts';
import { CausalProjection } from '../projection/projection.ts';

const named = (names: readonly string[], column: string) =>
  `list_extract([${names.map((name) => `'${name}'`).join()}], ${column} + 1)`;

/** Each file: its columns, from the projection's table with the session's id in place of its key. */
const FILES: Record<string, string> = {
  events: 'session_id, event_no, epoch_ms(happened_at) AS happened_at FROM events',
  links: `session_id, cause_no, effect_no, ${named(RELATIONS, 'relation')} AS relation, confidence,
    ${named(JUDGES, 'judge')} AS judged_by FROM links`,
  cycles: `session_id, activity_no, nullif(outcome, '') AS outcome, rounds, worked_ms,
    epoch_ms(created_at) AS created_at, epoch_ms(updated_at) AS updated_at FROM cycles`,
  calls: `session_id, activity_no, agent, epoch_ms(happened_at) AS happened_at, prompt_tokens, completion_tokens,
    total_tokens FROM calls`,
};

/**
 * Writes the projection's tables as Parquet files into a folder, which is made. A projection of its own is built in
 * memory from the record, so the server may be running. No text of the record is in the files. Returns the rows of each.
 */
export async function exportParquet(
  dal: Pick<MemoryDAL, 'causal' | 'activity'>,
  folder: string,
): Promise<Record<string, number>> {
  const { causal: store, activity } = dal;
  const projection = new CausalProjection({ store, activity, file: null, logger: silentLogger });
  try {
    makeFolder(folder);
    await projection.catchUpAll();
    const ids = new Map([...(await sessionIds(store)), ...(await sessionIds(activity))]);
    return await projection.askAll((duck) => writeFiles(duck, ids, folder));
  } finally {
    await projection.close();
  }
}

async function writeFiles(
  duck: Duck,
  ids: Map<number, string>,
  folder: string,
): Promise<Record<string, number>> {
  await duck.run('CREATE OR REPLACE TEMP TABLE sessions (session_key INTEGER, session_id VARCHAR)');
  await duck.append('sessions', ids.size, [
    { type: 'integer', values: [...ids.keys()] },
    { type: 'varchar', values: [...ids.values()] },
  ]);
  const written: Record<string, number> = {};
  for (const [name, columns] of Object.entries(FILES)) {
    const file = join(folder, `${name}.parquet`).replaceAll("'", "''");
    // The inner join leaves out a session that was erased meanwhile.
    await duck.run(
      `COPY (SELECT ${columns} JOIN sessions USING (session_key)) TO '${file}' (FORMAT parquet)`,
    );
    const [row] = await duck.rows(`SELECT count(*) FROM read_parquet('${file}')`);
    written[name] = Number(row?.[0]);
  }
  return written;
}

async function sessionIds(of: {
  heads(afterKey: number, limit: number): Promise<{ sessionId: string; sessionKey: number }[]>;
}): Promise<[number, string][]> {
  const ids: [number, string][] = [];
  for (;;) {
    const page = await of.heads(ids.at(-1)?.[0] ?? 0, 500);
    if (page.length === 0) return ids;
    ids.push(...page.map((head): [number, string] => [head.sessionKey, head.sessionId]));
  }
}
