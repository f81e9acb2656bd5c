/**
 * The memory without the server: a store in a file, a MemoryService over it, a session. What was said about e-mail
 * addresses is found when phone numbers are asked for.
 *
 *   npx tsx examples/remember.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryService, openSqliteStore } from '../src/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'ccc-remember-'));
const dal = await openSqliteStore({ file: join(folder, 'memory.db'), threads: false });
const memory = createMemoryService({ dal });

const { session } = await memory.createSession({ userPreferences: { language: 'TypeScript' } });
const { conversation } = await memory.createConversation({
  sessionId: session.sessionId,
  directive: 'Write a function that validates an e-mail address.',
});
await memory.appendTurns({
  conversationId: conversation.conversationId,
  turns: [
    {
      agent: 'beatrice',
      kind: 'guidance',
      content: 'Keep the pattern simple; the mail server has the last word.',
    },
    {
      agent: 'codey',
      kind: 'answer',
      content: 'const validate = (address: string) => /^[^@\\s]+@[^@\\s]+$/.test(address);',
    },
  ],
});

const context = await memory.buildContext({
  sessionId: session.sessionId,
  conversationId: null,
  directive: 'Now validate a phone number in the same way.',
  maxTurns: 5,
  maxTokens: 500,
  includeAgentState: true,
  includeCausal: true,
  alreadySent: [],
});
console.log(context.prompt ?? 'Nothing in memory bears on this.');
for (const { turn, score, source } of context.relevantTurns) {
  console.log(`${score.toFixed(2)}  ${source}  ${turn.agent}: ${turn.content}`);
}

await dal.close();
await rm(folder, { recursive: true });
