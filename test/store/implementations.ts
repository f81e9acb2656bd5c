import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/base/ids.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import type { NewJob, NewTurn } from '../../src/store/records.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createTestDatabase, dropTestDatabase, onDatabase } from '../support/postgres.ts';

/** A record that a test may open, close and open again; `remove` takes away whatever it left behind. */
export interface TestRecord {
  open(): Promise<MemoryDAL>;
  /** As if an import that has begun were left alone for a day. */
  abandonImports(): Promise<void>;
  remove(): Promise<void>;
}

const SQLITE = { nul: '\0', alreadyThere: 'SQLITE_CONSTRAINT_UNIQUE' };

/** Everything that calls itself a MemoryDAL. Each suite of the record runs for each entry. */
export const IMPLEMENTATIONS: {
  name: string;
  prepare(): TestRecord;
  /** What a text holds in place of U+0000. */
  nul: string;
  /** The engine's own code when a row is there already. */
  alreadyThere: string;
}[] = [
  { name: 'SQLite on this thread', prepare: () => sqliteRecord(false), ...SQLITE },
  { name: 'SQLite in threads', prepare: () => sqliteRecord(true), ...SQLITE },
  { name: 'PostgreSQL', prepare: postgresRecord, nul: '\uFFFD', alreadyThere: '23505' },
];

function postgresRecord(): TestRecord {
  const opened: MemoryDAL[] = [];
  let url: string | null = null;
  return {
    open: async () => {
      const dal = await openPostgresStore({ url: (url ??= await createTestDatabase()) });
      opened.push(dal);
      return dal;
    },
    // Another server may be about it: only what nothing was heard of for long is cleared away.
    abandonImports: () =>
      onDatabase(String(url), 'UPDATE pending_imports SET touched_at = touched_at - 24 * 3600 * 1000'),
    remove: async () => {
      await Promise.all(opened.map((dal) => dal.close()));
      if (url !== null) await dropTestDatabase(url);
    },
  };
}

function sqliteRecord(threads: boolean): TestRecord {
  const folder = temporaryFolder();
  const opened: MemoryDAL[] = [];
  return {
    open: async () => {
      const dal = await openSqliteStore({ file: join(folder, 'record.db'), threads });
      opened.push(dal);
      return dal;
    },
    // There is no other process: what is open at the start was left.
    abandonImports: () => Promise.resolve(),
    remove: async () => {
      await Promise.all(opened.map((dal) => dal.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ccc-store-'));
}

/** A fixed time that tests count from. */
export const NOON = Date.UTC(2026, 4, 8, 12);

export function newTurn(content: string, fields: Partial<NewTurn> = {}): NewTurn {
  const words = content.toLowerCase().split(/\W+/).filter(Boolean);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return {
    turnId: newId('turn'),
    agent: 'wykeve',
    kind: 'message',
    content,
    speaker: null,
    timestamp: NOON,
    cycleId: null,
    metadata: {},
    terms: { terms: [...counts], length: words.length },
    ...fields,
  };
}

export function newJob(fields: Partial<NewJob> = {}): NewJob {
  return { kind: 'summarise', dedupeKey: 'one', payload: {}, runAt: NOON, ...fields };
}

export async function newSession(dal: MemoryDAL, fields: { now?: number } = {}): Promise<string> {
  const sessionId = newId('sess');
  await dal.sessions.create({
    sessionId,
    tokenHash: `hash of ${sessionId}`,
    userPreferences: {},
    initialContext: null,
    now: fields.now ?? NOON,
  });
  return sessionId;
}

export async function newConversation(
  dal: MemoryDAL,
  sessionId: string,
  turns: NewTurn[] = [],
): Promise<string> {
  const conversationId = newId('conv');
  await dal.conversations.create({
    sessionId,
    conversationId,
    directive: 'Help me.',
    turns,
    jobs: [],
    now: NOON,
  });
  return conversationId;
}
