import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftPrompt } from '../../../src/covenant/prompts/draft.ts';
import { upstreamBody } from '../../../src/http/chat/upstream-body.ts';
import type { ChatMessage } from '../../../src/models/chat-types.ts';
import { contextOf, say, startChat } from './support.ts';

const MEMORY = '<memory>\nremembered\n</memory>';

const call = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Lagos"}' },
});

/** One thing that can happen in a history: a message, or a call of tools with its results in any order. */
const happening: fc.Arbitrary<ChatMessage[]> = fc.oneof(
  fc.constantFrom<ChatMessage[]>(
    [{ role: 'user', content: 'And now?' }],
    [{ role: 'assistant', content: 'It rains.' }],
    [{ role: 'system', content: 'Be brief.' }],
    [{ role: 'developer', content: 'Be kind.' }],
  ),
  fc
    .tuple(
      fc.uniqueArray(fc.stringMatching(/^call_[a-z]{1,6}$/), { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat()),
    )
    .map(([ids, order]): ChatMessage[] => {
      const results = ids
        .map((id) => ({ id, at: order.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ id }): ChatMessage => ({ role: 'tool', tool_call_id: id, content: `result of ${id}` }));
      return [{ role: 'assistant', content: null, tool_calls: ids.map(call) } as ChatMessage, ...results];
    }),
);

/** A history, which a client may have cut at its beginning. */
const history = fc
  .tuple(fc.array(happening, { minLength: 1, maxLength: 8 }), fc.boolean())
  .map(([parts, instructed]) => [
    ...(instructed ? [{ role: 'system', content: 'You are a helper.' } as ChatMessage] : []),
    ...parts.flat(),
  ]);

/** What is wrong with a prompt that was put together from these messages and one more. */
function problemsOf(
  before: ChatMessage[],
  after: ChatMessage[],
  isAdded: (message: ChatMessage) => boolean,
): string[] {
  const problems: string[] = [];
  const at = after.findIndex(isAdded);
  if (after.filter(isAdded).length !== 1) problems.push('not added once');
  const rest = after.filter((message) => !isAdded(message));
  if (JSON.stringify(rest) !== JSON.stringify(before))
    problems.push('the messages are not those that were sent');
  const isInstruction = ({ role }: ChatMessage) => role === 'system' || role === 'developer';
  if (!after.slice(0, at + 1).every(isInstruction))
    problems.push('stands behind something that is no instruction');
  // A call's results follow it at once, all of them, as upstreams demand.
  after.forEach((message, place) => {
    const calls = (message as { tool_calls?: { id: string }[] }).tool_calls ?? [];
    const results = after.slice(place + 1, place + 1 + calls.length);
    const answered = new Set(results.map((result) => (result as { tool_call_id?: string }).tool_call_id));
    if (!calls.every(({ id }) => answered.has(id))) problems.push('a call is separated from its results');
  });
  return problems;
}

describe('what memory adds to a prompt', () => {
  it('never separates a call of tools from its results, reorders nothing, and stands after the first instructions', () => {
    fc.assert(
      fc.property(history, (messages) => {
        const body = Buffer.from(JSON.stringify({ model: 'm', session_id: 's', messages }));
        const sent = JSON.parse(upstreamBody(body, messages, MEMORY).toString()) as {
          messages: ChatMessage[];
        };
        return problemsOf(messages, sent.messages, ({ content }) => content === MEMORY).join() === '';
      }),
      { numRuns: 500 },
    );
  });

  it('nor does the frame of a supervised draft, before and after a revision', () => {
    fc.assert(
      fc.property(history, fc.boolean(), (messages, revised) => {
        const prompt = draftPrompt({
          messages,
          memory: MEMORY,
          guidance: 'Look up the weather.',
          criteria: [],
          last: revised
            ? {
                round: 1,
                text: 'It rains.',
                hash: 'h',
                finishReason: 'stop',
                model: 'm',
                checks: [],
                review: null,
              }
            : null,
          steer: null,
          toolMessages: [
            {
              round: 1,
              message: {
                role: 'assistant',
                content: null,
                tool_calls: [call('x'), call('y')],
              } as ChatMessage,
            },
            { round: 1, message: { role: 'tool', tool_call_id: 'y', content: 'rain' } },
            { round: 1, message: { role: 'tool', tool_call_id: 'x', content: 'sun' } },
          ],
        } as Parameters<typeof draftPrompt>[0]);
        const isFrame = ({ content }: ChatMessage) => typeof content === 'string' && content.includes(MEMORY);
        const without = prompt.filter((message) => !isFrame(message));
        expect(without.slice(0, messages.length)).toEqual(messages);
        return problemsOf(without, prompt, isFrame).join() === '';
      }),
      { numRuns: 300 },
    );
  });

  it('reaches the upstream with parallel calls and their results as the client sent them, byte for byte', async () => {
    const chat = await startChat(say('Take an umbrella.'));
    chat.memory.context = contextOf(MEMORY);
    const { sessionId } = await chat.session();
    const messages =
      '[{"role":"system","content":"You are a helper."},{"role":"user","content":"Weather?"},' +
      '{"role":"assistant","content":null,"tool_calls":[' +
      '{"id":"a","type":"function","function":{"name":"weather","arguments":"{\\"city\\": \\"Lagos\\"}"}},' +
      '{"id":"b","type":"function","function":{"name":"weather","arguments":"{\\"n\\":1.0}"}}]},' +
      '{"role":"tool","tool_call_id":"b","content":"sun"},{"role":"tool","tool_call_id":"a","content":"rain"}]';
    const response = await chat.post(`{"model":"m","session_id":"${sessionId}","messages":${messages}}`);
    expect(response.status).toBe(200);
    const memory = JSON.stringify({ role: 'system', content: MEMORY });
    const [system, rest] = [
      messages.slice(0, messages.indexOf('{"role":"user"')),
      messages.slice(messages.indexOf('{"role":"user"')),
    ];
    expect(chat.upstream.seen[0]?.text).toContain(`"messages":${system}${memory},${rest}`);
  });
});
