import { createDeepSeek } from '@ai-sdk/deepseek';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { generateText, streamText, type LanguageModel } from 'ai';
import { describe, expect, it } from 'vitest';
import { chunk, DONE } from '../http/chat/support.ts';
import { answering, approving, startForClients } from './support.ts';

const RIVERS = 'Niger, Nile, Congo.';
const NARRATION =
  '[Beatrice · round 1 · guidance]\nBe short.\n\n' +
  `[Codey · round 1 · draft]\n${RIVERS}\n\n` +
  '[Beatrice · round 1 · verdict]\nApproved.';
const CYCLE = { covenant_mode: 'cycle' };
type Connection = { baseURL: string; apiKey: string };

/** Providers of the AI SDK that read an OpenAI stream in ways of their own; which of them show a model's thoughts. */
const PROVIDERS: { name: string; shows: boolean; connect: (of: Connection) => LanguageModel }[] = [
  { name: '@ai-sdk/openai', shows: false, connect: (of) => createOpenAI(of).chat('m') },
  { name: '@ai-sdk/deepseek', shows: true, connect: (of) => createDeepSeek(of)('m') },
  { name: '@openrouter/ai-sdk-provider', shows: true, connect: (of) => createOpenRouter(of).chat('m') },
];

describe.each(PROVIDERS)('$name, unmodified, on a cycle', ({ connect, shows }) => {
  const open = async (...rest: [Parameters<typeof startForClients>[1], Record<string, string>?]) => {
    const { baseURL, apiKey } = await startForClients('/v2', ...rest);
    return connect({ baseURL, apiKey });
  };

  it('shows the final answer as text, and no word of it twice', async () => {
    // These providers send no fields of their own: the session's preference has them supervised.
    const model = await open(approving(RIVERS), CYCLE);
    const streamed = streamText({ model, prompt: 'Name three rivers.' });
    let text = '';
    for await (const piece of streamed.textStream) text += piece;
    expect(text).toBe(RIVERS);
    expect((await streamed.reasoningText) ?? '').toBe(shows ? NARRATION : '');
    expect(await streamed.finishReason).toBe('stop');
  });

  it('takes a whole answer', async () => {
    const whole = await generateText({
      model: await open(approving(RIVERS), CYCLE),
      prompt: 'Three rivers?',
    });
    expect(whole.text).toBe(RIVERS);
    expect(whole.reasoningText ?? '').toBe(shows ? NARRATION : '');
    expect(whole.finishReason).toBe('stop');
  });

  it('raises the upstream’s own words when it fails in the middle', async () => {
    let calls = 0;
    const guide = answering('Be short.');
    const model = await open((res, seen) => {
      calls += 1;
      if (calls === 1) return guide(res, seen);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk({ role: 'assistant', content: 'Half' }));
      return res.end(`data: {"error":{"message":"The model fell over.","type":"api_error"}}\n\n${DONE}`);
    }, CYCLE);
    const errors: unknown[] = [];
    const streamed = streamText({
      model,
      prompt: 'Name three rivers.',
      maxRetries: 0,
      onError: ({ error }) => {
        errors.push(error);
      },
    });
    let text = '';
    for await (const piece of streamed.textStream) text += piece;
    expect(text).toBe('');
    expect(errors).toHaveLength(1);
    expect(
      JSON.stringify(errors[0], (_key, value: unknown) =>
        value instanceof Error ? { ...value, message: value.message } : value,
      ),
    ).toContain('The model fell over.');
  });
});
