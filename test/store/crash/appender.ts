/**
 * A process that appends turns as fast as it can until it is killed: `node appender.js <file>`. It prints a line for
 * each turn after the record has acknowledged it: conversation, number, id.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { newJob, newTurn, NOON } from '../implementations.ts';

const SESSION = 'sess_crash';
const CONVERSATIONS = ['conv_a', 'conv_b', 'conv_c'];
const WRITERS_PER_CONVERSATION = 4;

const dal = await openSqliteStore({ file: process.argv[2] ?? '', threads: true });
if (!(await dal.sessions.get(SESSION))) {
  await dal.sessions.create({
    sessionId: SESSION,
    tokenHash: 'hash',
    userPreferences: {},
    initialContext: null,
    now: NOON,
  });
}
for (const conversationId of CONVERSATIONS) {
  if (await dal.conversations.get(conversationId)) continue;
  await dal.conversations.create({
    sessionId: SESSION,
    conversationId,
    directive: 'Survive.',
    turns: [],
    jobs: [],
    now: NOON,
  });
}

async function appendForever(conversationId: string): Promise<never> {
  for (;;) {
    const turn = newTurn(`A turn of ordinary length that has to survive, number ${Math.random()}`);
    const { turns } = await dal.turns.append({
      sessionId: SESSION,
      conversationId,
      turns: [turn],
      // One job for each turn: a turn without its job, or the other way round, shows a torn transaction.
      jobs: [newJob({ kind: 'witness', dedupeKey: turn.turnId })],
      now: NOON,
    });
    writeSync(1, turns.map((t) => `${conversationId} ${t.turnNumber} ${t.turnId}\n`).join(''));
  }
}

await Promise.all(
  CONVERSATIONS.flatMap((id) => Array.from({ length: WRITERS_PER_CONVERSATION }, () => appendForever(id))),
);
