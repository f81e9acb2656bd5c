import type { ChangedVectors } from '../../store/causal-vector-store.ts';
import type { Duck } from './duckdb.ts';
import { modelStamp } from './schema.ts';

/** Events' vectors stand in a table for each dimension, made when the first one comes. */
export const tableOf = (dimension: number) => `vectors_${String(dimension)}`;

/** Dimensions that the projection has a table for. */
export async function vectorSizes(duck: Duck): Promise<number[]> {
  const rows = await duck.rows('SELECT dimension FROM vector_sizes ORDER BY dimension');
  return rows.map(([dimension]) => Number(dimension));
}

/** Adds vectors, each to the table of its dimension. Those that are there already must have been deleted before. */
export async function appendVectors(duck: Duck, sessionKey: number, changed: ChangedVectors): Promise<void> {
  if (changed.nos.length === 0) return;
  const stamps = changed.names.map(modelStamp);
  for (const [dimension, places] of byDimension(changed)) {
    if (dimension === 0) continue;
    await duck.run(
      `CREATE TABLE IF NOT EXISTS ${tableOf(dimension)} (session_key INTEGER NOT NULL, event_no INTEGER NOT NULL,
         model BIGINT NOT NULL, vector FLOAT[${String(dimension)}] NOT NULL)`,
    );
    await duck.run('INSERT OR IGNORE INTO vector_sizes VALUES ($1)', [dimension]);
    await duck.append(tableOf(dimension), places.length, [
      { type: 'integer', values: sessionKey },
      { type: 'integer', values: places.map(({ at }) => changed.nos[at] ?? 0) },
      { type: 'bigint', values: places.map(({ at }) => stamps[changed.models[at] ?? 0] ?? 0) },
      {
        type: 'vector',
        dimension,
        values: places.map(({ offset }) => changed.values.subarray(offset, offset + dimension)),
      },
    ]);
  }
}

function byDimension({ dimensions }: ChangedVectors): Map<number, { at: number; offset: number }[]> {
  const groups = new Map<number, { at: number; offset: number }[]>();
  let offset = 0;
  dimensions.forEach((dimension, at) => {
    const known = groups.get(dimension);
    if (known) known.push({ at, offset });
    else groups.set(dimension, [{ at, offset }]);
    offset += dimension;
  });
  return groups;
}

/** Numbers only: there is nothing to escape. */
export async function deleteVectors(duck: Duck, sessionKey: number, eventNos: number[]): Promise<void> {
  if (eventNos.length === 0) return;
  for (const dimension of await vectorSizes(duck)) {
    const deleted = await duck.rows(
      `DELETE FROM ${tableOf(dimension)}
        WHERE session_key = ${String(sessionKey)} AND event_no IN (${eventNos.join()}) RETURNING event_no`,
    );
    if (deleted.length > 0) await noteTraces(duck);
  }
}

/** Removes the vectors of a session. */
export async function deleteAllVectors(duck: Duck, sessionKey: number): Promise<void> {
  for (const dimension of await vectorSizes(duck)) {
    const had = await duck.rows(`SELECT 1 FROM ${tableOf(dimension)} WHERE session_key = $1 LIMIT 1`, [
      sessionKey,
    ]);
    if (had.length === 0) continue;
    await duck.run(`DELETE FROM ${tableOf(dimension)} WHERE session_key = $1`, [sessionKey]);
    await noteTraces(duck);
  }
}

/** Whether vectors were deleted that may still be read in the free space of the file: it is to be written anew. */
export async function hasTraces(duck: Duck): Promise<boolean> {
  const rows = await duck.rows('SELECT 1 FROM meta WHERE traces');
  return rows.length > 0;
}

async function noteTraces(duck: Duck): Promise<void> {
  if (!(await hasTraces(duck))) await duck.run('UPDATE meta SET traces = true');
}

/** Lets go of all vectors: nobody asks for them any more. */
export async function dropVectors(duck: Duck): Promise<void> {
  for (const dimension of await vectorSizes(duck)) await duck.run(`DROP TABLE ${tableOf(dimension)}`);
  await duck.run('DELETE FROM vector_sizes');
  await duck.run('DELETE FROM vector_heads');
  await noteTraces(duck);
}
