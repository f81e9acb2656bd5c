import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage, type AIMessageChunk } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import { describe, expect, it } from 'vitest';
import { chunk } from '../http/chat/support.ts';
import { answering, approving, startForClients, WAYS } from './support.ts';

const PROMPT = 'Name three rivers.';
const RIVERS = 'Niger, Nile, Congo.';
const NARRATION =
  '[Beatrice · round 1 · guidance]\nBe short.\n\n' +
  `[Codey · round 1 · draft]\n${RIVERS}\n\n` +
  '[Beatrice · round 1 · verdict]\nApproved.';
const FULL = { mode: 'cycle', narration: 'full' };
const MODES = [
  { mode: 'direct', preferences: {}, script: () => answering(RIVERS), narration: '' },
  {
    mode: 'cycle',
    preferences: { covenant_mode: 'cycle' },
    script: () => approving(RIVERS),
    narration: NARRATION,
  },
  {
    mode: 'cycle',
    preferences: {},
    script: () => approving(RIVERS),
    narration: NARRATION,
    covenant: FULL,
  },
];

/** The upstream dies after its first words. */
const dying: Parameters<typeof startForClients>[1] = (res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(chunk({ role: 'assistant', content: 'Half' }), () => res.destroy());
};

describe.each(WAYS)('the Vercel AI SDK, unmodified, at %s', (way) => {
  const connect = async (...rest: [Parameters<typeof startForClients>[1], Record<string, string>?]) => {
    const { baseURL, apiKey } = await startForClients(way, ...rest);
    return createOpenAICompatible({ name: 'ccc', baseURL, apiKey })('m');
  };

  it.each(MODES)(
    '$mode mode: the answer is the text, the narration is the reasoning',
    async ({ script, preferences, narration, covenant }) => {
      const providerOptions = covenant ? { ccc: { covenant } } : {};
      const whole = await generateText({
        model: await connect(script(), preferences),
        prompt: PROMPT,
        providerOptions,
      });
      expect(whole.text).toBe(RIVERS);
      expect(whole.reasoningText ?? '').toBe(narration);
      expect(whole.finishReason).toBe('stop');

      const streamed = streamText({
        model: await connect(script(), preferences),
        prompt: PROMPT,
        providerOptions,
      });
      let text = '';
      for await (const piece of streamed.textStream) text += piece;
      expect(text).toBe(RIVERS);
      expect((await streamed.reasoningText) ?? '').toBe(narration);
      expect(await streamed.finishReason).toBe('stop');
    },
  );

  it.each(MODES)('$mode mode: a stream that breaks off is an error', async ({ preferences }) => {
    const errors: unknown[] = [];
    const streamed = streamText({
      model: await connect(dying, preferences),
      prompt: PROMPT,
      maxRetries: 0,
      onError: ({ error }) => {
        errors.push(error);
      },
    });
    await streamed.consumeStream();
    expect(errors).toHaveLength(1);
  });
});

describe.each(WAYS)('LangChain, unmodified, at %s', (way) => {
  const connect = async (
    script: Parameters<typeof startForClients>[1],
    preferences: Record<string, string>,
    covenant?: object,
  ) => {
    const { baseURL, apiKey } = await startForClients(way, script, preferences);
    const modelKwargs = covenant ? { covenant } : {};
    return new ChatOpenAI({ model: 'm', apiKey, configuration: { baseURL }, maxRetries: 0, modelKwargs });
  };

  it.each(MODES)('$mode mode: the answer is the content', async ({ mode, script, preferences, covenant }) => {
    const whole = await (await connect(script(), preferences, covenant)).invoke([new HumanMessage(PROMPT)]);
    expect(whole.content).toBe(RIVERS);

    let all: AIMessageChunk | undefined;
    for await (const piece of await (await connect(script(), preferences, covenant)).stream(PROMPT)) {
      all = all ? all.concat(piece) : piece;
    }
    expect(all?.content).toBe(RIVERS);
    expect(all?.response_metadata['finish_reason']).toBe('stop');
    // Once, not doubled by the chunks that only CCC sends.
    expect(all).toMatchObject({ usage_metadata: { total_tokens: mode === 'direct' ? 8 : 24 } });
  });

  it.each(MODES)('$mode mode: a stream that breaks off is an error', async ({ preferences }) => {
    const model = await connect(dying, preferences);
    const read = async () => {
      for await (const piece of await model.stream(PROMPT)) void piece;
    };
    await expect(read()).rejects.toThrow();
  });
});
