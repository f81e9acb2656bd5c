import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { createCausalMemory, type CausalMemory } from '../../src/causal/create-causal-memory.ts';
import type { LinkInput } from '../../src/causal/causal-memory-core.ts';
import type { CausalEventRecord, Relation } from '../../src/store/causal-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openTestRecord } from '../support/record.ts';

/** A fixed time that tests count from. */
export const NOON = Date.UTC(2026, 4, 8, 12);

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-causal-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A record and a causal memory on it, in a folder that is gone when the test is. */
export async function openMemory(
  options: { folder?: string; inFile?: boolean } = {},
): Promise<{ dal: MemoryDAL; causal: CausalMemory; folder: string; projectionFile: string }> {
  const folder = options.folder ?? temporaryFolder();
  const projectionFile = join(folder, 'causal.duckdb');
  const dal = await openTestRecord(join(folder, 'record.db'));
  const causal = createCausalMemory({
    store: dal.causal,
    projectionFile: options.inFile === false ? null : projectionFile,
  });
  onTestFinished(async () => {
    await causal.close();
    await dal.close();
  });
  return { dal, causal, folder, projectionFile };
}

export async function newSession(dal: MemoryDAL): Promise<string> {
  const sessionId = newId('sess');
  await dal.sessions.create({
    sessionId,
    tokenHash: `hash of ${sessionId}`,
    userPreferences: {},
    initialContext: null,
    now: NOON,
  });
  return sessionId;
}

/** Events one minute apart, in the order given. */
export function tellEvents(
  causal: CausalMemory,
  sessionId: string,
  texts: string[],
): Promise<CausalEventRecord[]> {
  return causal.addEvents(
    sessionId,
    texts.map((text, at) => ({ text, happenedAt: NOON + at * 60_000 })),
  );
}

export function link(
  cause: CausalEventRecord | undefined,
  effect: CausalEventRecord | undefined,
  relation: Relation = 'caused',
  fields: Partial<LinkInput> = {},
): LinkInput {
  return { causeId: cause!.eventId, effectId: effect!.eventId, relation, ...fields };
}
