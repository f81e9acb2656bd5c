/**
 * A process that runs one cycle, or goes on with the one it finds: `node worker-cycle.js <file> <upstream> <when>`.
 * `when` says where it kills itself without warning: `before:3` or `after:3` the third write, or `never`.
 */
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { createCycleService } from '../../../src/covenant/create-cycle-service.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';

const [file = '', baseUrl = '', when = 'never', sessionId = ''] = process.argv.slice(2);
const [side = '', number = '0'] = when.split(':');

const dal = await openSqliteStore({ file, threads: true });
const memory = createMemoryService({ dal });
const provider = createOpenAiProvider({
  baseUrl,
  apiKey: 'sk',
  model: 'm',
  timeoutMs: 20_000,
  maxRetries: 0,
});

let writes = 0;
function mortal<A extends unknown[], R>(write: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    writes += 1;
    const now = writes === Number(number);
    if (now && side === 'before') process.kill(process.pid, 'SIGKILL');
    const stored = await write.apply(dal.cycles, args);
    if (now && side === 'after') process.kill(process.pid, 'SIGKILL');
    return stored;
  };
}
dal.cycles.create = mortal(dal.cycles.create);
dal.cycles.commit = mortal(dal.cycles.commit);

const cycles = createCycleService({
  dal,
  memory,
  provider,
  models: { beatrice: undefined, codey: undefined },
  clock: systemClock,
  logger: silentLogger,
});
const { items } = await dal.cycles.list({ sessionId, limit: 1, cursor: null });
const [found] = items;
if (found) {
  if (found.outcome === null) await (await cycles.resume(found.cycleId)).done;
} else {
  const directive = 'Name two rivers.';
  const { conversation } = await memory.createConversation({ sessionId, directive, turns: [] });
  const running = await cycles.start({
    sessionId,
    conversationId: conversation.conversationId,
    directive,
    request: { model: 'm', messages: [{ role: 'user', content: directive }] },
    options: { maxRounds: 3, maxTotalTokens: null, criteria: ['names two rivers'] },
    context: null,
    storeTurns: true,
  });
  await running.done;
}
await dal.close();
await provider.close();
