import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createCycleService, type CycleServiceDeps } from '../../src/covenant/create-cycle-service.ts';
import type { CycleService, StartCycle } from '../../src/covenant/cycle-service.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import type { MemoryService } from '../../src/memory/memory-service.ts';
import { createOpenAiProvider } from '../../src/models/openai/openai-provider.ts';
import { openTestRecord } from '../support/record.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import type { Upstream } from '../support/upstream.ts';

export interface Bench {
  dal: MemoryDAL;
  memory: MemoryService;
  cycles: CycleService;
  sessionId: string;
  conversationId: string;
  /** A start with everything that a test does not care about. */
  input(fields?: Partial<StartCycle>): StartCycle;
  /** The same record and upstream, as a new process would have them. */
  reopened(): Promise<CycleService>;
  reopenedWhole(): Promise<{ dal: MemoryDAL; cycles: CycleService }>;
  close(): Promise<void>;
}

/** The cycle on a real record, with a scripted upstream. */
export async function openBench(upstream: Upstream, more: Partial<CycleServiceDeps> = {}): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'ccc-cycle-'));
  const file = join(folder, 'ccc.db');
  const opened: MemoryDAL[] = [];
  const open = async () => {
    const dal = await openTestRecord(file);
    opened.push(dal);
    const memory = createMemoryService({ dal });
    const provider = createOpenAiProvider({
      baseUrl: upstream.baseUrl,
      apiKey: 'sk-test',
      model: 'scripted-model',
      timeoutMs: 20_000,
      maxRetries: 0,
    });
    const models = { beatrice: 'beatrice-model', codey: undefined };
    const deps = { dal, memory, provider, models, clock: systemClock, logger: silentLogger, ...more };
    return { dal, memory, cycles: createCycleService(deps) };
  };
  const { dal, memory, cycles } = await open();
  const { session } = await memory.createSession({});
  const { conversation } = await memory.createConversation({
    sessionId: session.sessionId,
    directive: 'Name two rivers.',
    turns: [],
  });
  return {
    dal,
    memory,
    cycles,
    sessionId: session.sessionId,
    conversationId: conversation.conversationId,
    input: (fields = {}) => ({
      sessionId: session.sessionId,
      conversationId: conversation.conversationId,
      directive: 'Name two rivers.',
      request: { model: 'client-model', messages: [{ role: 'user', content: 'Name two rivers.' }] },
      options: { maxRounds: 3, maxTotalTokens: null, criteria: [] },
      context: null,
      storeTurns: true,
      ...fields,
    }),
    reopened: async () => (await open()).cycles,
    reopenedWhole: open,
    close: async () => {
      for (const store of opened) await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
