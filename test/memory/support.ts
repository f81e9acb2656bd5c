import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import type { MemoryService, TurnInput } from '../../src/memory/memory-service.ts';
import { openTestRecord } from '../support/record.ts';
import type { ContextRequest } from '../../src/memory/context/context-types.ts';

/** A path for a record that is gone when the test is. */
export function recordFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-memory-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'ccc.db');
}

/** The memory service on a real record. */
export async function openMemory(file = recordFile()) {
  const dal = await openTestRecord(file);
  onTestFinished(() => dal.close());
  return { dal, memory: createMemoryService({ dal }) };
}

export async function newSession(memory: MemoryService): Promise<string> {
  return (await memory.createSession({})).session.sessionId;
}

/** A conversation in which these things were said. */
export async function told(
  memory: MemoryService,
  sessionId: string,
  directive: string,
  turns: TurnInput[] = [],
): Promise<string> {
  const { conversation } = await memory.createConversation({ sessionId, directive });
  if (turns.length > 0) await memory.appendTurns({ conversationId: conversation.conversationId, turns });
  return conversation.conversationId;
}

export function asking(
  sessionId: string,
  directive: string,
  more: Partial<ContextRequest> = {},
): ContextRequest {
  return {
    sessionId,
    conversationId: null,
    directive,
    maxTurns: 12,
    maxTokens: 2_000,
    includeAgentState: true,
    includeCausal: true,
    alreadySent: [],
    ...more,
  };
}
