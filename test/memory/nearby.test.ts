import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CONTEXT_NEARBY } from '../../src/memory/context/nearby.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { openReaderEngine } from '../../src/store/sqlite/engine.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { asking, newSession, recordFile, told } from './support.ts';

const QUESTIONS = [
  'Where do I live now?',
  'Which pets has Ana?',
  'What did we say of the harbour in May?',
  'And the boat?',
  'zzz',
  '',
];

/** A session of everything that a context is made of. */
async function lived(memory: ReturnType<typeof createMemoryService>): Promise<string> {
  const sessionId = await newSession(memory);
  const say = (content: string) => ({ agent: 'wykeve' as const, content });
  await told(memory, sessionId, 'I live in Paris, with a dog.', [say('The boat lies in the harbour.')]);
  await told(memory, sessionId, 'I moved to Lyon.', [
    { agent: 'codey', kind: 'answer', content: 'Noted: Lyon.' },
    { agent: 'wykeve', content: 'My cat is called Miu.', speaker: 'Ana' },
  ]);
  await told(memory, sessionId, 'What about the harbour?', [say('The boat trip is on 8 May 2026.')]);
  await memory.putSummary({ sessionId, conversationId: null, text: 'Of boats and moves.' });
  await memory.putAgentState({ sessionId, agent: 'codey', state: { mood: 'calm' } });
  const fact = { subject: 'Ana', attribute: 'pet', value: 'a cat', text: 'Ana has a cat.' };
  await memory.addFact({ sessionId, ...fact, pinned: true });
  return sessionId;
}

async function open(file: string, nearby?: URL) {
  const threads: Worker[] = [];
  const seen = (thread: Worker) => threads.push(thread);
  process.on('worker', seen);
  const dal = await openSqliteStore({ file, threads: nearby !== undefined, ...(nearby ? { nearby } : {}) });
  onTestFinished(async () => {
    process.off('worker', seen);
    await dal.close();
  });
  return { dal, memory: createMemoryService({ dal, clock: { now: () => Date.UTC(2026, 5, 1) } }), threads };
}

describe('a context whose reading is done beside the data', () => {
  it('is the same, word by word and figure by figure', async () => {
    const file = recordFile();
    const far = await open(file);
    const near = await open(file, CONTEXT_NEARBY);
    expect(far.dal.nearby).toBeNull();
    const sessionId = await lived(near.memory);
    for (const question of QUESTIONS) {
      const request = asking(sessionId, question);
      const built = await near.memory.buildContext(request);
      expect(built).toEqual(await far.memory.buildContext(request));
      expect(built.prompt).toContain('Of boats and moves.');
    }
    const { relevantTurns } = await near.memory.buildContext(asking(sessionId, 'Where do I live now?'));
    expect(relevantTurns.map(({ turn }) => turn.content)).toContain('I moved to Lyon.');

    let calls = 0;
    const counting = new Proxy(near.dal.turns, {
      get: (target, name) => {
        calls += 1;
        return Reflect.get(target, name) as unknown;
      },
    });
    const counted = createMemoryService({ dal: { ...near.dal, turns: counting } });
    expect((await counted.buildContext(asking(sessionId, 'the harbour'))).relevantTurns).not.toEqual([]);
    expect(calls).toBe(0);
    const none = near.memory.buildContext(asking('sess_none', 'the harbour'));
    await expect(none).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('is answered to the end when the record is closed', async () => {
    const { dal, memory } = await open(recordFile(), CONTEXT_NEARBY);
    const sessionId = await lived(memory);
    const asked = Array.from({ length: 20 }, () => memory.beginContext(asking(sessionId, 'the harbour')));
    await dal.close();
    for (const { gathered } of await Promise.all(asked)) expect(gathered.relevant.found).not.toEqual([]);
  });

  it('fails loudly when the thread dies at it, and is there again with the next one', async () => {
    const { memory, threads } = await open(recordFile(), CONTEXT_NEARBY);
    const sessionId = await lived(memory);
    // So many that some are still to be answered when it dies.
    const asked = Array.from({ length: 200 }, () => memory.buildContext(asking(sessionId, 'the harbour')));
    await threads[1]?.terminate();
    const outcomes = await Promise.allSettled(asked);
    const failed = outcomes.filter((each) => each.status === 'rejected');
    expect(failed).not.toEqual([]);
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'storage_failed' });
    await expect
      .poll(async () => {
        try {
          return (await memory.buildContext(asking(sessionId, 'the harbour'))).prompt;
        } catch {
          return null;
        }
      })
      .toContain('The boat lies in the harbour.');
  });
});

describe('what is asked beside the data', () => {
  it('may read, and not write; what it is not known for is refused', async () => {
    const file = recordFile();
    const { memory } = await open(file);
    const sessionId = await newSession(memory);
    const engine = openReaderEngine(file, null, {
      nearby: (dal) => ({
        read: (id: string) => dal.sessions.get(id),
        write: (id: string) => dal.sessions.setPreferences(id, {}, 0),
      }),
    });
    onTestFinished(() => engine.close());
    const ask = (method: string) =>
      new Promise((settle) => {
        engine.call('nearby', method, [sessionId], settle);
      });
    expect(await ask('read')).toMatchObject({ ok: true, value: { sessionId } });
    expect(await ask('write')).toMatchObject({
      ok: false,
      error: { code: 'internal_error', message: 'sessions.setPreferences writes: not from here.' },
    });
    expect(await ask('else')).toMatchObject({ ok: false, error: { code: 'internal_error' } });
  });
});
