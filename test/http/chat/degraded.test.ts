import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/base/logger.ts';
import { unavailable } from '../../../src/http/unavailable.ts';
import { chunk, DONE, say, startChat, streamOf, type MemoryMetadata } from './support.ts';

const hello = { model: 'm', messages: [{ role: 'user', content: 'My sister Ana is allergic to peanuts.' }] };
const metadata = async (response: Response) =>
  ((await response.json()) as { memory_metadata: MemoryMetadata }).memory_metadata;

describe('direct mode, when memory fails', () => {
  const broken = async (method: string, body: object = hello) => {
    const chat = await startChat(say('An answer.'), ({ memory }) => ({
      memory: { ...memory, [method]: () => Promise.reject(new Error('disk full')) },
    }));
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...body, session_id: sessionId });
    const answer = (await response.json()) as {
      choices: { message: { content: string } }[];
      memory_metadata: MemoryMetadata;
    };
    return { chat, response, answer, report: answer.memory_metadata };
  };

  it.each([
    'getSession',
    'beginContext',
    'readContext',
    'composeContext',
    'createConversation',
    'appendTurns',
  ])('answers all the same when %s does, says so, and reports no turn that is not stored', async (method) => {
    const { response, answer, report, chat } = await broken(method);
    expect(response.status).toBe(200);
    expect(answer.choices[0]?.message.content).toBe('An answer.');
    expect(report.degraded).toMatch(/could not/);
    expect(report.degraded).not.toContain('disk full');
    const stored = report.conversation_id === null ? [] : await chat.memory.turns(report.conversation_id);
    expect(report.turn_ids).toEqual(stored.map((turn) => turn.turnId));
  });

  it('answers although it cannot even tell whose token it is', async () => {
    const chat = await startChat(say('An answer.'), ({ memory }) => ({
      memory: { ...memory, openByToken: () => Promise.reject(new Error('disk full')) },
    }));
    const { token } = await chat.session();
    const response = await chat.post(hello, { headers: { authorization: `Bearer ${token}` } });
    expect(response.headers.get('x-ccc-session-id')).toBeNull();
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'An answer.' } }],
      memory_metadata: { session_id: null, turn_ids: [], degraded: 'the session could not be read' },
    });
  });

  it('answers when there is no memory at all', async () => {
    const chat = await startChat(say('An answer.'), () => ({ memory: unavailable('not there') }));
    const response = await chat.post({ ...hello, session_id: 'sess_1' });
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'An answer.' } }],
      memory_metadata: {
        session_id: 'sess_1',
        conversation_id: null,
        turn_ids: [],
        degraded: expect.any(String) as string,
      },
    });
  });

  it('of a stream all that the model said goes out before it is stored: only what reports it waits', async () => {
    let store: () => void = () => undefined;
    const stored = new Promise<void>((resolve) => (store = resolve));
    const words = [chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop')];
    const chat = await startChat(streamOf(...words, DONE), ({ memory }) => ({
      memory: { ...memory, appendTurns: (input) => stored.then(() => memory.appendTurns(input)) },
    }));
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, stream: true, session_id: sessionId });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const readUntil = async (enough: () => boolean) => {
      for (let done = false; !done && !enough();) {
        const part = await reader.read();
        ({ done } = part);
        text += Buffer.from(part.value ?? []).toString();
      }
    };
    await readUntil(() => text.length >= words.join('').length);
    expect(text).toBe(words.join(''));
    store();
    await readUntil(() => false);
    expect(text.endsWith(DONE)).toBe(true);
    expect(text).toContain('memory_metadata');
  });

  it('of a stream the end waits a second for what takes longer to store, and does not report it as stored', async () => {
    const words = [chunk({ content: 'Hello' }), chunk({}, 'stop')];
    let log = '';
    const chat = await startChat(streamOf(...words, DONE), ({ memory }) => ({
      logger: createLogger('info', { write: (line) => (log += line) }),
      memory: {
        ...memory,
        appendTurns: () =>
          new Promise((_, reject) => setTimeout(() => reject(new Error('disk full')), 1_500)),
      },
    }));
    const { sessionId } = await chat.session();
    const text = await (await chat.post({ ...hello, stream: true, session_id: sessionId })).text();
    expect(text.endsWith(DONE)).toBe(true);
    expect(text).toContain('"degraded":"the exchange could not be stored in time, and may be stored later"');
    // What came of it is in the log.
    await expect.poll(() => log).toContain('disk full');
    // The directive began the conversation, and was.
    expect(/"turn_ids":(\[[^\]]*\])/.exec(text)?.[1]).toMatch(/^\["turn_[^",]*"\]$/);
  });

  it('does not wait for a memory that hangs', async () => {
    const chat = await startChat(say('An answer.'), ({ memory }) => ({
      memoryLimitMs: 20,
      memory: { ...memory, readContext: () => new Promise(() => undefined) },
    }));
    const { sessionId } = await chat.session();
    const report = await metadata(await chat.post({ ...hello, session_id: sessionId }));
    expect(report).toMatchObject({ context_used: false, degraded: 'the context could not be built' });
    expect(report.turn_ids).toHaveLength(2);
  });
});
