import { describe, expect, it, vi } from 'vitest';
import { CccError } from '../../../src/base/ccc-error.ts';
import type { CycleResult } from '../../../src/covenant/cycle-service.ts';
import { messages, NARRATION, RESULT, scripted, startCycles, usage } from './cycle-support.ts';
import { contextOf, DONE, eventsOf, say, startChat, type MemoryMetadata } from './support.ts';

type Chunk = {
  model: string;
  choices: { delta: Record<string, string>; finish_reason: string | null }[];
  covenant?: Record<string, unknown>;
  memory_metadata?: MemoryMetadata;
  usage?: unknown;
};
const chunksOf = async (response: Response) => {
  const events = eventsOf(await response.text());
  expect(events.at(-1)).toBe('[DONE]');
  return events.slice(0, -1) as Chunk[];
};
const joined = (chunks: Chunk[], field: string) =>
  chunks.map((chunk) => chunk.choices[0]?.delta[field] ?? '').join('');

describe('cycle mode, whole answers', () => {
  it('is an ordinary completion with the cycle and the memory beside it', async () => {
    const { ask, sessionId } = await startCycles();
    const response = await ask();
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      id: 'chatcmpl-cyc_1',
      object: 'chat.completion',
      model: 'up-model',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            content: 'Niger, Nile, Congo.',
            reasoning_content: NARRATION,
            reasoning: NARRATION,
          },
        },
      ],
      usage: usage(30),
      covenant: {
        mode: 'cycle',
        cycle_id: 'cyc_1',
        outcome: 'approved',
        rounds: 2,
        verdicts: RESULT.verdicts,
        usage_by_agent: RESULT.usageByAgent,
        reason: 'Approved in round 2.',
      },
      memory_metadata: { session_id: sessionId, degraded: null },
    });
    expect(response.headers.get('x-ccc-cycle-id')).toBe('cyc_1');
    expect(response.headers.get('x-ccc-session-id')).toBe(sessionId);
  });

  it("gives the cycle the client's request without CCC's fields, and what memory has", async () => {
    const { ask, chat, started } = await startCycles();
    chat.memory.context = contextOf('remembered');
    await ask({
      stream: false,
      temperature: 0.5,
      response_format: { type: 'json_object' },
      covenant: {
        mode: 'cycle',
        max_rounds: 1,
        max_total_tokens: 900,
        criteria: ['three rivers'],
        narration: 'off',
      },
    });
    expect(started[0]).toMatchObject({
      directive: 'Name three rivers.',
      options: { maxRounds: 1, maxTotalTokens: 900, criteria: ['three rivers'] },
      context: { prompt: 'remembered' },
      storeTurns: true,
    });
    expect(started[0]?.directiveMetadata?.['thread_key']).toMatch(/^[\w-]{22}$/);
    expect(started[0]?.request).toEqual({
      model: 'asked',
      temperature: 0.5,
      response_format: { type: 'json_object' },
      messages,
    });
    expect((await chat.memory.dal.conversations.get(started[0]!.conversationId))?.directive).toBe(
      'Name three rivers.',
    );
  });

  it('narrates nothing when told so', async () => {
    const { ask } = await startCycles();
    const body = await (await ask({ covenant: { narration: 'off' } })).text();
    expect(body).not.toContain('reasoning');
  });

  it("gives an upstream's refusal with its own status, error and headers", async () => {
    const error = {
      status: 429,
      error: { message: 'slow down', type: 'rate', code: null, param: null },
      headers: { 'retry-after': '9' },
    };
    const { ask } = await startCycles({ outcome: 'upstream_error', answer: '', error });
    const response = await ask();
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '9']);
    expect(await response.json()).toEqual({ error: error.error });
  });

  it('delivers a reviewed draft although the upstream failed after it', async () => {
    const error = { status: 500, error: { message: 'broken' }, headers: {} };
    const { ask } = await startCycles({ outcome: 'upstream_error', error });
    expect(await (await ask()).json()).toMatchObject({
      choices: [{ message: { content: 'Niger, Nile, Congo.' } }],
      covenant: { outcome: 'upstream_error' },
    });
  });

  it.each([
    [{ outcome: 'drained', answer: '' } as const, 503, 'shutting_down'],
    [{ outcome: 'client_cancelled', answer: '' } as const, 409, 'cycle_conflict'],
  ])('says why there is no answer at all', async (result, status, code) => {
    const { ask } = await startCycles(result);
    const response = await ask();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});

describe('cycle mode, streams', () => {
  it('narrates as reasoning, and content is the final answer and nothing else', async () => {
    const { ask, sessionId } = await startCycles();
    const response = await ask({ stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-ccc-cycle-id')).toBe('cyc_1');
    const chunks = await chunksOf(response);
    expect(chunks[0]).toMatchObject({
      object: 'chat.completion.chunk',
      model: 'asked',
      choices: [{ delta: { role: 'assistant', content: '' } }],
    });
    expect(joined(chunks, 'content')).toBe('Niger, Nile, Congo.');
    expect(joined(chunks, 'reasoning_content')).toBe(NARRATION);
    expect(joined(chunks, 'reasoning')).toBe(NARRATION);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      covenant: { cycle_id: 'cyc_1', outcome: 'approved', rounds: 2 },
      memory_metadata: { session_id: sessionId },
    });
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
    // Progress belongs to the full narration only.
    expect(chunks.filter((chunk) => chunk.covenant)).toHaveLength(1);
  });

  it('adds progress to a full narration, and nothing of it besides who, what and when', async () => {
    const { ask } = await startCycles();
    const chunks = await chunksOf(await ask({ stream: true, covenant: { narration: 'full' } }));
    expect(
      chunks.filter((chunk) => chunk.covenant?.['seq']).map((chunk) => [chunk.choices, chunk.covenant]),
    ).toEqual([
      [[], { cycle_id: 'cyc_1', seq: 1, type: 'guiding', agent: 'beatrice', round: 1 }],
      [[], { cycle_id: 'cyc_1', seq: 2, type: 'reviewed', agent: 'beatrice', round: 1 }],
    ]);
    expect(joined(chunks, 'reasoning')).toBe(NARRATION);
  });

  it('is silent when told so', async () => {
    const { ask } = await startCycles();
    const chunks = await chunksOf(await ask({ stream: true, covenant: { narration: 'off' } }));
    expect(chunks.map((chunk) => Object.keys(chunk.choices[0]?.delta ?? {}).join())).toEqual([
      'role,content',
      'content',
      '',
      '',
    ]);
  });

  it('gives the usage of the whole to a client that asked for it', async () => {
    const { ask } = await startCycles();
    const chunks = await chunksOf(await ask({ stream: true, stream_options: { include_usage: true } }));
    expect(chunks.at(-1)?.usage).toEqual(usage(30));
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it('sends headers and role at once and then keeps the connection awake', async () => {
    let finish: (result: CycleResult) => void = () => undefined;
    const { ask } = await startCycles(new Promise<CycleResult>((resolve) => (finish = resolve)), []);
    const response = await ask({ stream: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('\n\n: ')) text += (await reader.read()).value ?? '';
    expect(text).toMatch(/^data: \{[^\n]*"role":"assistant"[^\n]*\n\n: [^\n]+\n\n/);
    finish(RESULT);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
    }
    expect(text.endsWith(DONE)).toBe(true);
  });

  it('the built-in rehearsal does not pass for the model that was asked for', async () => {
    const chat = await startChat(say(''), ({ settings, provider }) => ({
      cycles: scripted().cycles,
      settings: { ...settings, CCC_COVENANT_DEFAULT: 'cycle' },
      provider: { ...provider, info: { name: 'rehearsal', baseUrl: null, defaultModel: 'ccc-rehearsal' } },
    }));
    const { sessionId } = await chat.session();
    const chunks = await chunksOf(
      await chat.post({ model: 'gpt', messages, session_id: sessionId, stream: true }),
    );
    expect(new Set(chunks.map((chunk) => chunk.model))).toEqual(new Set(['ccc-rehearsal']));
  });

  it('tells an error after the first byte as one, and ends', async () => {
    const error = {
      status: 401,
      error: { message: 'bad key', type: 'auth', code: 'invalid_api_key', param: null },
      headers: {},
    };
    let fail: (result: CycleResult) => void = () => undefined;
    const { ask } = await startCycles(new Promise<CycleResult>((resolve) => (fail = resolve)));
    const response = await ask({ stream: true });
    expect(response.status).toBe(200);
    fail({ ...RESULT, outcome: 'upstream_error', answer: '', error });
    const events = eventsOf(await response.text());
    expect(events.at(-1)).toEqual({ error: error.error });
    expect(JSON.stringify(events)).not.toContain('finish_reason":"');
  });

  it.each([true, false])(
    'a client that hangs up cancels the cycle within 100 ms (stream: %s)',
    async (stream) => {
      const { ask, cancelled, started } = await startCycles(new Promise<CycleResult>(() => undefined), []);
      const abort = new AbortController();
      const asked = ask({ stream }, { signal: abort.signal }).then(
        (response) => response.text(),
        () => 'hung up',
      );
      await vi.waitFor(() => expect(started).toHaveLength(1), { interval: 2 });
      const began = performance.now();
      abort.abort();
      await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce(), { interval: 2 });
      expect(performance.now() - began).toBeLessThan(100);
      await asked.catch(() => undefined);
    },
  );
});

describe('cycle mode, when the record fails in the middle', () => {
  it.each([true, false])(
    'the client gets an answer all the same and is told (stream: %s)',
    async (stream) => {
      const { ask, chat } = await startCycles(new CccError('storage_failed'));
      chat.memory.context = contextOf('remembered');
      const response = await ask({ stream });
      const covenant = { mode: 'direct', reason: expect.stringContaining('record') as string };
      const memory_metadata = { degraded: 'the cycle could not be recorded', turn_ids: [] };
      if (stream) {
        const chunks = await chunksOf(response);
        expect(joined(chunks, 'content')).toBe('Unsupervised.');
        expect(chunks.at(-1)).toMatchObject({ covenant, memory_metadata });
      } else {
        expect(await response.json()).toMatchObject({
          choices: [{ message: { content: 'Unsupervised.' }, finish_reason: 'stop' }],
          covenant,
          memory_metadata,
        });
      }
      expect(chat.upstream.seen[0]?.text).toContain('remembered');
    },
  );
});
