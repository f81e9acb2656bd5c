import { describe, expect, it } from 'vitest';
import { messages, startCycles } from './cycle-support.ts';
import { say, startChat, type MemoryMetadata } from './support.ts';

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
    { tools },
    { tools, tool_choice: 'none' },
    { functions: [{ name: 'f' }], function_call: 'none' },
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
