import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { chunk, DONE, streamOf, type MemoryMetadata } from '../http/chat/support.ts';
import { answering, approving, startForClients, WAYS, wholeMessage } from './support.ts';

const messages = [{ role: 'user' as const, content: 'Name three rivers.' }];
const RIVERS = 'Niger, Nile, Congo.';
const CYCLE = { covenant_mode: 'cycle' };

async function connect(...[way, script, preferences]: Parameters<typeof startForClients>) {
  const server = await startForClients(way, script, preferences);
  const { baseURL, apiKey } = server;
  return { ...server, client: new OpenAI({ baseURL, apiKey, maxRetries: 0 }) };
}
const reportOf = (value: unknown) => (value as { memory_metadata: MemoryMetadata }).memory_metadata;
const rejection = async (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

/** What CCC adds for the OpenAI SDK: the record behind it. What every client does with it is in matrix.test.ts. */
describe.each(WAYS)('the OpenAI SDK and the record, at %s', (way) => {
  describe.each([
    ['direct', {}],
    ['cycle', CYCLE],
  ] as const)('%s mode', (mode, preferences) => {
    // A script counts its turns: each test makes its own.
    const fresh = () => (mode === 'direct' ? answering(RIVERS) : approving(RIVERS));

    it('answers', async () => {
      const { client, sessionId, chat } = await connect(way, fresh(), preferences);
      const reply = await client.chat.completions.create({ model: 'm', messages });
      expect(reply.choices[0]?.message.content).toBe(RIVERS);
      expect(reply.choices[0]?.finish_reason).toBe('stop');
      expect(reply.usage?.total_tokens).toBe(mode === 'direct' ? 8 : 24);
      const { turn_ids, conversation_id, session_id } = reportOf(reply);
      expect(session_id).toBe(sessionId);
      const turns = await chat.memory.turns(conversation_id);
      expect(turns.map((turn) => turn.turnId)).toEqual(turn_ids);
      expect(turns[0]?.content).toBe('Name three rivers.');
      expect(turns.at(-1)).toMatchObject({ kind: 'answer', content: RIVERS });
    });

    it('streams through the helper: exactly the answer as content', async () => {
      const { client } = await connect(way, fresh(), preferences);
      const stream = client.chat.completions.stream({ model: 'm', messages });
      const pieces: string[] = [];
      stream.on('content', (delta) => pieces.push(delta));
      expect(await stream.finalContent()).toBe(RIVERS);
      expect(pieces.join('')).toBe(RIVERS);
      const final = await stream.finalChatCompletion();
      expect(final.choices).toHaveLength(1);
      expect(final.choices[0]?.finish_reason).toBe('stop');
      expect(final.usage).toBeUndefined();
      expect(reportOf(final).turn_ids.length).toBeGreaterThan(1);
    });

    it('streams a full narration, and still exactly the answer as content', async () => {
      const { client } = await connect(way, fresh(), preferences);
      const body = { model: 'm', messages, covenant: { mode, narration: 'full' } };
      const stream = client.chat.completions.stream(body);
      expect(await stream.finalContent()).toBe(RIVERS);
      const covenant = mode === 'cycle' ? { mode, outcome: 'approved', rounds: 1 } : undefined;
      const final = (await stream.finalChatCompletion()) as { covenant?: object };
      if (covenant) expect(final.covenant).toMatchObject(covenant);
      else expect(final.covenant).toBeUndefined();
    });

    it('continues a conversation that is sent again as the SDK gave it', async () => {
      const { client, chat } = await connect(way, fresh(), preferences);
      const first = await client.chat.completions.create({ model: 'm', messages });
      chat.upstream.script = mode === 'direct' ? answering('Volta.') : approving('Volta.');
      const message = first.choices[0]!.message;
      const history = [...messages, message, { role: 'user' as const, content: 'One more.' }];
      const second = await client.chat.completions.create({ model: 'm', messages: history });
      expect(reportOf(second).conversation_id).toBe(reportOf(first).conversation_id);
      // What was narrated beside the first answer does not go back to the upstream.
      expect(chat.upstream.seen.at(-1)?.text).not.toContain('reasoning');
    });
  });

  describe('tools, in direct mode', () => {
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'weather', parameters: { type: 'object', properties: {} } },
      },
    ];
    const call = {
      id: 'call_1',
      type: 'function' as const,
      function: { name: 'weather', arguments: '{"city":"Lagos"}' },
    };
    const wire = [
      chunk({
        role: 'assistant',
        content: null,
        tool_calls: [{ index: 0, ...call, function: { name: 'weather', arguments: '' } }],
      }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '"Lagos"}' } }] }),
      chunk({}, 'tool_calls'),
      DONE,
    ];

    it.each([false, true])('call and result make one exchange (stream: %s)', async (stream) => {
      const { client, chat } = await connect(
        way,
        stream
          ? streamOf(...wire)
          : wholeMessage({ role: 'assistant', content: null, tool_calls: [call] }, 'tool_calls'),
      );
      const body = { model: 'm', messages, tools };
      const first = stream
        ? await client.chat.completions.stream(body).finalChatCompletion()
        : await client.chat.completions.create(body);
      expect(first.choices[0]?.finish_reason).toBe('tool_calls');
      expect(first.choices[0]?.message.tool_calls).toMatchObject([call]);

      chat.upstream.script = answering('It rains.');
      const history = [
        ...messages,
        first.choices[0]!.message,
        { role: 'tool' as const, tool_call_id: 'call_1', content: 'rain' },
      ];
      const next = { model: 'm', tools, messages: history };
      const second = stream
        ? await client.chat.completions.stream(next).finalChatCompletion()
        : await client.chat.completions.create(next);
      expect(second.choices[0]?.message.content).toBe('It rains.');
      const { conversation_id } = reportOf(second);
      expect(conversation_id).toBe(reportOf(first).conversation_id);
      const turns = await chat.memory.turns(conversation_id);
      expect(turns.map((turn) => turn.kind)).toEqual(['directive', 'tool', 'tool', 'answer']);
    });
  });

  describe('an upstream that fails', () => {
    it.each([
      [401, 'AuthenticationError'],
      [429, 'RateLimitError'],
      [500, 'InternalServerError'],
    ])('%i is the error that OpenAI itself would raise', async (status, name) => {
      const { client } = await connect(way, (res) => {
        res.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_up' });
        res.end('{"error":{"message":"No.","type":"t","code":"c","param":null}}');
      });
      const error = await rejection(client.chat.completions.create({ model: 'm', messages }));
      expect(error).toBeInstanceOf(APIError);
      expect(error).toMatchObject({ status, code: 'c', requestID: 'req_up' });
      expect((error as Error).constructor.name).toBe(name);
      expect((error as Error).message).toContain('No.');
    });

    it("the SDK's own retries wait as the upstream says, and store the directive once", async () => {
      const server = await startForClients(way, answering(RIVERS));
      const { chat, baseURL, apiKey } = server;
      let refused = 0;
      const answer = answering(RIVERS);
      chat.upstream.script = (res, seen) => {
        refused += 1;
        if (refused > 1) return answer(res, seen);
        res.writeHead(429, { 'content-type': 'application/json', 'retry-after-ms': '60' });
        return res.end('{"error":{"message":"slow down"}}');
      };
      const client = new OpenAI({ baseURL, apiKey, maxRetries: 1 });
      const began = performance.now();
      const reply = await client.chat.completions.create({ model: 'm', messages });
      expect(performance.now() - began).toBeGreaterThanOrEqual(60);
      const turns = await chat.memory.turns(reportOf(reply).conversation_id);
      expect(turns.map((turn) => turn.kind)).toEqual(['directive', 'answer']);
    });

    it('a cycle that failed and is tried again stays in its conversation', async () => {
      const { client, chat, sessionId } = await connect(way, answering('Be short.'), CYCLE);
      const guide = answering('Be short.');
      chat.upstream.script = (res, seen) => {
        if (chat.upstream.seen.length === 1) return guide(res, seen);
        res.writeHead(500, { 'content-type': 'application/json' });
        return res.end('{"error":{"message":"No."}}');
      };
      expect(await rejection(client.chat.completions.create({ model: 'm', messages }))).toMatchObject({
        status: 500,
      });
      chat.upstream.script = approving(RIVERS);
      const reply = await client.chat.completions.create({ model: 'm', messages });
      expect((await chat.memory.dal.sessions.get(sessionId))?.conversationCount).toBe(1);
      const turns = await chat.memory.turns(reportOf(reply).conversation_id);
      expect(turns.slice(0, 2).map((turn) => turn.kind)).toEqual(['directive', 'guidance']);
      expect(turns.at(-1)).toMatchObject({ kind: 'answer', content: RIVERS });
    });

    it('one that hangs is given up by the client, and is told', async () => {
      const { client, chat } = await connect(way, () => undefined);
      const error = await rejection(
        client.chat.completions.create({ model: 'm', messages }, { timeout: 200 }),
      );
      expect(error).toBeInstanceOf(APIConnectionTimeoutError);
      await chat.upstream.seen[0]?.gone;
    });

    it('a refusal in a cycle is an HTTP error before the first byte, and an error chunk after it', async () => {
      const { client } = await connect(
        way,
        (res) => {
          res.writeHead(401, { 'content-type': 'application/json' });
          res.end('{"error":{"message":"Bad key.","type":"auth","code":"invalid_api_key","param":null}}');
        },
        CYCLE,
      );
      expect(await rejection(client.chat.completions.create({ model: 'm', messages }))).toMatchObject({
        status: 401,
        code: 'invalid_api_key',
      });
      const error = await rejection(client.chat.completions.stream({ model: 'm', messages }).finalContent());
      expect(error).toBeInstanceOf(APIError);
      expect((error as Error).message).toContain('Bad key.');
    });
  });
});
