import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { createRetention } from '../../../src/memory/retention/retention.ts';
import { openTestRecord } from '../../support/record.ts';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import { recordFile } from '../support.ts';

export const DAY = 86_400_000;
/** Noon of a day: times are told as days before it. */
export const NOW = Date.UTC(2026, 5, 1, 12);

/** A memory whose clock stands where the test sets it, and what looks after it. */
export async function openKeeping(options: { days?: number | null; file?: string } = {}) {
  const file = options.file ?? recordFile();
  const dal = await openTestRecord(file);
  onTestFinished(() => dal.close());
  const clock = { time: NOW, now: () => clock.time };
  const memory = createMemoryService({ dal, clock });
  const changed: string[] = [];
  const keeping = (over: MemoryDAL = dal) => {
    const retention = createRetention({
      dal: over,
      days: options.days ?? null,
      clock,
      logger: silentLogger,
      changed: (sessionId) => changed.push(sessionId),
    });
    onTestFinished(() => retention.stop());
    return retention;
  };
  return { dal, memory, clock, changed, keeping, file, retention: keeping() };
}

export async function sessionKeeping(
  { memory }: Awaited<ReturnType<typeof openKeeping>>,
  days: number | null,
): Promise<string> {
  const preferences = days === null ? {} : { memory_retention_days: days };
  return (await memory.createSession({ userPreferences: preferences })).session.sessionId;
}

/** A conversation in which these things were said, so many days ago each. */
export async function saidBefore(
  { memory, clock }: Awaited<ReturnType<typeof openKeeping>>,
  sessionId: string,
  turns: [daysAgo: number, content: string, speaker?: string][],
): Promise<string> {
  const { time } = clock;
  let conversationId: string | null = null;
  for (const [daysAgo, content, speaker = null] of turns) {
    clock.time = NOW - daysAgo * DAY;
    if (conversationId === null) {
      const begun = await memory.createConversation({ sessionId, directive: content });
      conversationId = begun.conversation.conversationId;
    } else await memory.appendTurns({ conversationId, turns: [{ agent: 'wykeve', content, speaker }] });
  }
  clock.time = time;
  return conversationId ?? '';
}

/** Looks into the file itself. */
export function inFile<T>(file: string, look: (database: Database.Database) => T): T {
  const database = new Database(file, { readonly: true });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

export const countIn = (file: string, table: string): number =>
  inFile(file, (database) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number);
