import { describe, expect, it, vi } from 'vitest';
import { CccError } from '../../../src/base/ccc-error.ts';
import type {
  CycleResult,
  CycleService,
  CycleSignal,
  StartCycle,
} from '../../../src/covenant/cycle-service.ts';
import { contextOf, DONE, eventsOf, say, startChat, type MemoryMetadata } from './support.ts';

const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Name three rivers.' },
];
const usage = (n: number) => ({ prompt_tokens: n, completion_tokens: n, total_tokens: 2 * n });
const RESULT: CycleResult = {
  cycleId: 'cyc_1',
  outcome: 'approved',
  answer: 'Niger, Nile, Congo.',
  finishReason: 'stop',
  reason: 'Approved in round 2.',
  rounds: 2,
  verdicts: [{ round: 1, decision: 'revise', issues: [], criteria: [] }],
  usage: usage(30),
  usageByAgent: { beatrice: usage(20), codey: usage(10) },
  model: 'up-model',
  turns: [],
  error: null,
};
const delta = (
  agent: 'beatrice' | 'codey',
  round: number,
  step: 'guidance' | 'draft' | 'verdict',
  text: string,
) => ({ kind: 'delta', agent, round, step, text }) satisfies CycleSignal;
const event = (seq: number, type: string, data: Record<string, string | number>): CycleSignal => ({
  kind: 'event',
  event: { sessionId: 's', cycleId: 'cyc_1', seq, type, data, createdAt: 0 },
});
const SIGNALS: CycleSignal[] = [
  event(1, 'guiding', { agent: 'beatrice', round: 1 }),
  delta('beatrice', 1, 'guidance', 'Three, '),
  delta('beatrice', 1, 'guidance', 'no more.'),
  delta('codey', 1, 'draft', 'Niger.'),
  delta('beatrice', 1, 'verdict', 'To be revised.\n- major: the list → name three'),
  event(2, 'reviewed', { agent: 'beatrice', round: 1, secret: 'not for this stream' }),
  delta('codey', 2, 'draft', 'Niger, Nile, Congo.'),
];
const NARRATION =
  '[Beatrice · round 1 · guidance]\nThree, no more.\n\n' +
  '[Codey · round 1 · draft]\nNiger.\n\n' +
  '[Beatrice · round 1 · verdict]\nTo be revised.\n- major: the list → name three\n\n' +
  '[Codey · round 2 · draft]\nNiger, Nile, Congo.';

/** A cycle service that says what the test says, and remembers what it was asked. */
function scripted(result: Partial<CycleResult> | Error | Promise<CycleResult> = {}, signals = SIGNALS) {
  const started: StartCycle[] = [];
  const cancelled = vi.fn();
  const cycles = {
    start: (input: StartCycle) => {
      started.push(input);
      const done =
        result instanceof Error
          ? Promise.reject(result)
          : result instanceof Promise
            ? result
            : Promise.resolve({ ...RESULT, ...result });
      done.catch(() => undefined);
      return Promise.resolve({
        cycleId: 'cyc_1',
        watch: (listener: (signal: CycleSignal) => void) => {
          signals.forEach(listener);
          return () => undefined;
        },
        done,
        cancel: cancelled,
      });
    },
  } as unknown as CycleService;
  return { cycles, started, cancelled };
}

async function startCycles(...script: Parameters<typeof scripted>) {
  const fake = scripted(...script);
  const chat = await startChat(say('Unsupervised.'), ({ settings }) => ({
    cycles: fake.cycles,
    settings: { ...settings, CCC_COVENANT_DEFAULT: 'cycle' },
    heartbeatMs: 20,
  }));
  const { sessionId } = await chat.session();
  const ask = (fields: object = {}, options: { signal?: AbortSignal } = {}) =>
    chat.post({ model: 'asked', messages, session_id: sessionId, ...fields }, options);
  return { ...fake, chat, sessionId, ask };
}

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
    const { ask } = await startCycles({ outcome: 'upstream_error', answer: '', error });
    const response = await ask({ stream: true });
    expect(response.status).toBe(200);
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

describe('who is supervised', () => {
  const supervised = async (fields: object, preferences = {}) => {
    const { chat, started } = await startCycles();
    const { sessionId } = await chat.session(preferences);
    const response = await chat.post({ messages, session_id: sessionId, ...fields });
    const body = (await response.json()) as {
      covenant?: { mode: string; reason?: string };
      error?: { param: string };
    };
    return { response, body, cycles: started.length };
  };

  it('the request decides, then the session, then the server', async () => {
    expect((await supervised({})).cycles).toBe(1);
    expect((await supervised({}, { covenant_mode: 'direct' })).cycles).toBe(0);
    expect((await supervised({ covenant: { mode: 'cycle' } }, { covenant_mode: 'direct' })).cycles).toBe(1);
    const direct = await supervised({ covenant: { mode: 'direct' } });
    expect([direct.cycles, direct.body.covenant]).toEqual([0, undefined]);
  });

  const tools = [{ type: 'function', function: { name: 'f' } }];
  it.each([
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['tools', { tools }],
    ['functions', { functions: [{ name: 'f' }] }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['messages', { messages: [{ role: 'system', content: 'no user here' }] }],
    ['messages', { messages: [...messages, { role: 'assistant', content: 'Niger,' }] }],
  ])(
    'what a cycle cannot do (%s) is done directly and said, or refused when a cycle was asked for',
    async (param, fields) => {
      const fallen = await supervised(fields);
      expect(fallen.cycles).toBe(0);
      expect(fallen.body).toMatchObject({
        choices: [{ message: { content: 'Unsupervised.' } }],
        covenant: { mode: 'direct' },
      });
      expect(fallen.body.covenant?.reason).toMatch(/^A cycle .+\.$/);
      const refused = await supervised({ ...fields, covenant: { mode: 'cycle' } });
      expect([refused.response.status, refused.body.error?.param, refused.cycles]).toEqual([400, param, 0]);
    },
  );

  it.each([
    { n: 1 },
    { logprobs: false },
    { tools: [] },
    { tools, tool_choice: 'none' },
    { modalities: ['text'] },
  ])('what changes nothing is no obstacle: %j', async (fields) => {
    expect((await supervised(fields)).cycles).toBe(1);
  });

  it('without a record there is no cycle, but an answer that says so', async () => {
    const chat = await startChat(say('Unsupervised.'), ({ settings }) => ({
      settings: { ...settings, CCC_COVENANT_DEFAULT: 'cycle' },
    }));
    const { sessionId } = await chat.session();
    const body = (await (await chat.post({ messages, session_id: sessionId })).json()) as {
      memory_metadata: MemoryMetadata;
    };
    expect(body).toMatchObject({
      choices: [{ message: { content: 'Unsupervised.' } }],
      covenant: { mode: 'direct', reason: expect.stringContaining('record') as string },
      memory_metadata: { degraded: 'the cycle could not be recorded' },
    });
    expect(body.memory_metadata.turn_ids).toHaveLength(2);
  });
});
