import { createHash } from 'node:crypto';
import type { Duck } from './duckdb.ts';

/** Goes up when the tables below change; a file of another version is made anew. */
const VERSION = 3;

/**
 * The projection holds numbers, and words of closed lists (outcomes, agents): no text of the record is copied, so
 * nothing that is erased there can linger here. Sessions are named by the key that the record never gives to another
 * one. Times are milliseconds since the epoch.
 */
const TABLES = [
  // `traces`: vectors were deleted, and what they were may still stand in the free space of the file.
  'CREATE TABLE meta (version INTEGER NOT NULL, traces BOOLEAN NOT NULL)',
  `CREATE TABLE heads (
    session_key   INTEGER PRIMARY KEY,
    -- Of the session's id: see sessionStamp.
    stamp         BIGINT NOT NULL,
    through       BIGINT NOT NULL,
    last_event_no INTEGER NOT NULL
  )`,
  'CREATE TABLE events (session_key INTEGER NOT NULL, event_no INTEGER NOT NULL, happened_at BIGINT NOT NULL)',
  `CREATE TABLE links (
    session_key INTEGER NOT NULL,
    cause_no    INTEGER NOT NULL,
    effect_no   INTEGER NOT NULL,
    relation    UTINYINT NOT NULL,
    confidence  DOUBLE NOT NULL,
    judge       UTINYINT NOT NULL
  )`,
  // Events' vectors stand in a table for each dimension, made when the first one comes: see vectors.ts.
  // They follow a watermark of their own too: a chain need not wait for them.
  'CREATE TABLE vector_sizes (dimension INTEGER PRIMARY KEY)',
  'CREATE TABLE vector_heads (session_key INTEGER PRIMARY KEY, stamp BIGINT NOT NULL, through BIGINT NOT NULL)',
  // Cycles and calls follow a watermark of their own: a question about causes need not wait for them.
  `CREATE TABLE activity_heads (session_key INTEGER PRIMARY KEY, stamp BIGINT NOT NULL, through BIGINT NOT NULL)`,
  `CREATE TABLE cycles (
    session_key INTEGER NOT NULL,
    activity_no INTEGER NOT NULL,
    -- Empty while it runs.
    outcome     VARCHAR NOT NULL,
    rounds      INTEGER NOT NULL,
    worked_ms   BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
  )`,
  // One row for each call that says what it cost.
  `CREATE TABLE calls (
    session_key       INTEGER NOT NULL,
    activity_no       INTEGER NOT NULL,
    agent             VARCHAR NOT NULL,
    happened_at       BIGINT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    total_tokens      INTEGER NOT NULL
  )`,
];

/** 48 bits of a session's id: enough to notice that a key stands for another session in another record. */
export function sessionStamp(sessionId: string): number {
  return stampOf(sessionId);
}

/** Stands for the name of an embedding model: 48 bits of it, as of a session's id. */
export function modelStamp(model: string): number {
  return stampOf(model);
}

function stampOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}

export async function createTables(duck: Duck): Promise<void> {
  await duck.run('BEGIN TRANSACTION');
  for (const statement of TABLES) await duck.run(statement);
  await duck.run(`INSERT INTO meta VALUES (${String(VERSION)}, false)`);
  await duck.run('COMMIT');
}

/** Whether the database is one of ours, whole and of this version. Reads every table, so that damage shows. */
export async function isCurrent(duck: Duck): Promise<boolean> {
  const tables = await duck.rows(`SELECT table_name FROM information_schema.tables`);
  if (tables.length === 0) return false;
  const [version] = await duck.rows('SELECT max(version) FROM meta');
  if (version?.[0] !== VERSION) return false;
  await duck.rows('SELECT sum(through), max(stamp) FROM heads');
  await duck.rows('SELECT count(*), sum(event_no), max(happened_at), max(session_key) FROM events');
  await duck.rows(
    'SELECT count(*), sum(cause_no), sum(effect_no), sum(relation), sum(confidence), sum(judge), max(session_key) FROM links',
  );
  await duck.rows('SELECT sum(through), max(stamp) FROM vector_heads');
  // Of vectors what names them: the vectors themselves may be a gigabyte, and damage in them shows when they are asked.
  for (const [dimension] of await duck.rows('SELECT dimension FROM vector_sizes')) {
    await duck.rows(
      `SELECT count(*), sum(event_no), max(model), max(session_key) FROM vectors_${String(Number(dimension))}`,
    );
  }
  await duck.rows('SELECT sum(through), max(stamp) FROM activity_heads');
  await duck.rows(
    `SELECT count(*), sum(activity_no), max(outcome), sum(rounds), sum(worked_ms), max(created_at), max(updated_at),
       max(session_key) FROM cycles`,
  );
  await duck.rows(
    `SELECT count(*), sum(activity_no), max(agent), max(happened_at), sum(prompt_tokens), sum(completion_tokens),
       sum(total_tokens), max(session_key) FROM calls`,
  );
  return true;
}
