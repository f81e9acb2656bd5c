import OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { describe, expect, it } from 'vitest';
import { completion, role, streamed, type UpstreamCall } from '../../support/upstream.ts';
import { APPROVE, REVISE, startOn, startServer } from './support.ts';

const tools = [
  { type: 'function' as const, function: { name: 'depth', parameters: { type: 'object', properties: {} } } },
];
const asked: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Name two deep rivers.' }];
const callOf = (id: string, name: string) => ({
  id,
  type: 'function' as const,
  function: { name: 'depth', arguments: `{"of":"${name}"}` },
});
/** Codey calls for two rivers at once, as upstreams stream it. */
const calling = streamed(
  [
    { tool_calls: [{ index: 0, ...callOf('call_1', ''), function: { name: 'depth', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"of":"Rhine"}' } }] },
    { tool_calls: [{ index: 1, ...callOf('call_2', 'Congo') }] },
  ],
  { finishReason: 'tool_calls' },
);
const results: ChatCompletionMessageParam[] = [
  { role: 'tool', tool_call_id: 'call_2', content: '220 m' },
  { role: 'tool', tool_call_id: 'call_1', content: '15 m' },
];

type Server = Awaited<ReturnType<typeof startServer>>;
type Extra = {
  covenant: { mode: string; outcome: string; cycle_id: string };
  memory_metadata: { turn_ids: string[] };
};
type Reply = ChatCompletion & Extra;

const clientOf = ({ url, sessionId }: Pick<Server, 'url' | 'sessionId'>) =>
  new OpenAI({ baseURL: `${url}/v2/sessions/${sessionId}`, apiKey: 'sk-client', maxRetries: 0 });

async function ask(client: OpenAI, stream: boolean, body: object): Promise<Reply> {
  const request = { model: 'm', tools, messages: asked, ...body };
  if (!stream) return (await client.chat.completions.create(request)) as Reply;
  let extra: Extra | null = null;
  const streaming = client.chat.completions.stream(request);
  streaming.on('chunk', (chunk) => {
    if ('covenant' in chunk && 'memory_metadata' in chunk) extra = chunk as unknown as Extra;
  });
  const whole = await streaming.finalChatCompletion();
  const { covenant, memory_metadata } = extra as unknown as Extra;
  return { ...whole, covenant, memory_metadata };
}

const messagesOf = (call: UpstreamCall | undefined) =>
  (call?.json as { messages: { role: string; content: string; tool_calls?: unknown }[] }).messages;

describe('tools of the client in a cycle', () => {
  it.each([false, true])(
    'are called by Codey, and the same cycle goes on with their results (stream: %s)',
    async (stream) => {
      const server = await startServer();
      const { upstream } = server;
      upstream.expect(role('guidance'), streamed(['Look them up.'])).expect(role('draft'), calling);
      const first = await ask(clientOf(server), stream, { tool_choice: 'required' });
      expect(first.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: { content: null, tool_calls: [callOf('call_1', 'Rhine'), callOf('call_2', 'Congo')] },
      });
      expect(first.covenant).toMatchObject({ mode: 'cycle', outcome: 'awaiting_tools' });
      const cycle = (await server.api.get(`/api/v2/cycles/${first.covenant.cycle_id}`)).body;
      expect(cycle).toMatchObject({ status: 'awaiting_client_tools', answer: null });

      // The server is started anew in between: the cycle is in the record.
      await server.server.stop(0);
      const next = await startOn(server.file, upstream.baseUrl);
      upstream
        .expect(role('draft'), streamed(['The Congo.']))
        .expect(role('verdict'), streamed([REVISE]))
        .expect(role('draft'), streamed(['The Congo and the Rhine.']))
        .expect(role('verdict'), streamed([APPROVE]));
      const message = first.choices[0]!.message;
      const second = await ask(clientOf({ url: next.url, sessionId: server.sessionId }), stream, {
        tool_choice: 'required',
        messages: [...asked, message, ...results],
      });
      expect(second.choices[0]).toMatchObject({
        finish_reason: 'stop',
        message: { content: 'The Congo and the Rhine.' },
      });
      expect(second.covenant).toMatchObject({
        mode: 'cycle',
        outcome: 'approved',
        cycle_id: first.covenant.cycle_id,
      });
      upstream.assertComplete();

      // Only Codey sees the tools; forced calls are forced once; results stand behind the calls, in their order.
      const [guidance, forced, draft, review, revision] = upstream.calls;
      expect([guidance, review].map((call) => 'tools' in (call?.json as object))).toEqual([false, false]);
      expect(forced?.json).toMatchObject({ tools, tool_choice: 'required' });
      expect(draft?.json).toMatchObject({ tools, tool_choice: 'auto' });
      const exchange = [
        { role: 'assistant', tool_calls: [{ id: 'call_1' }, { id: 'call_2' }] },
        { role: 'tool', tool_call_id: 'call_1', content: '15 m' },
        { role: 'tool', tool_call_id: 'call_2', content: '220 m' },
      ];
      expect(messagesOf(draft).slice(2)).toMatchObject(exchange);
      expect(messagesOf(revision).slice(2, 6)).toMatchObject([
        ...exchange,
        { role: 'assistant', content: 'The Congo.' },
      ]);
      // The reviewer gets what the tools answered, as evidence.
      expect(messagesOf(review).at(-1)?.content).toContain(
        '<tools>\ndepth({"of":"Rhine"})\ndepth({"of":"Congo"})\n→ 15 m\n→ 220 m\n</tools>',
      );
      // What each request has cost is counted once.
      expect(second.usage?.total_tokens).toBe(stream ? undefined : 32);

      const turns = await next.memory.listTurns({
        conversationId: cycle.conversation_id,
        fromNumber: 1,
        limit: 50,
      });
      expect(turns.map(({ kind }) => kind)).toEqual([
        'directive',
        'guidance',
        'tool',
        'tool',
        'tool',
        'draft',
        'verdict',
        'draft',
        'verdict',
        'answer',
      ]);
      expect(second.memory_metadata.turn_ids).toEqual(turns.slice(3).map(({ turnId }) => turnId));
    },
  );

  it('may be called in a revision too, and without anything being stored as turns', async () => {
    const server = await startServer();
    const { upstream } = server;
    const body = { memory_options: { auto_store_response: false } };
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['The Rhine.']))
      .expect(role('verdict'), streamed([REVISE]))
      .expect(role('draft'), calling);
    const first = await ask(clientOf(server), false, body);
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    upstream
      .expect(role('draft'), streamed(['The Congo and the Rhine.']))
      .expect(role('verdict'), streamed([APPROVE]));
    const second = await ask(clientOf(server), false, {
      ...body,
      messages: [...asked, first.choices[0]!.message, ...results],
    });
    expect(second.choices[0]?.message.content).toBe('The Congo and the Rhine.');
    expect(second.covenant.cycle_id).toBe(first.covenant.cycle_id);
    // The calls were made after the review, and stand after it.
    expect(messagesOf(upstream.calls[4]).map(({ role: who }) => who)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
      'assistant',
      'tool',
      'tool',
    ]);
    upstream.assertComplete();
  });

  it('whose results belong to no waiting cycle are answered directly, and that is said', async () => {
    const server = await startServer();
    const { upstream } = server;
    upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), calling);
    const first = await ask(clientOf(server), false, {});
    upstream.expect('/chat/completions', completion({ content: 'Direct.' }));
    const [one] = results;
    const second = await ask(clientOf(server), false, {
      messages: [...asked, first.choices[0]!.message, one],
    });
    expect(second).toMatchObject({
      choices: [{ message: { content: 'Direct.' } }],
      covenant: { mode: 'direct' },
    });
    upstream.assertComplete();
  });

  it('whose results come twice at once continue the cycle once', async () => {
    const server = await startServer();
    const { upstream } = server;
    upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), calling);
    const first = await ask(clientOf(server), false, {});
    upstream
      .expect(role('draft'), streamed(['The Congo and the Rhine.'], { delayMs: 20 }))
      .expect(role('verdict'), streamed([APPROVE]))
      .on('/chat/completions', completion({ content: 'Direct.' }));
    const body = { messages: [...asked, first.choices[0]!.message, ...results] };
    const replies = await Promise.allSettled([1, 2].map(() => ask(clientOf(server), false, body)));
    const supervised = replies.filter(
      (reply) => reply.status === 'fulfilled' && reply.value.covenant.mode === 'cycle',
    );
    expect(supervised).toHaveLength(1);
    upstream.assertComplete();
  });
});
