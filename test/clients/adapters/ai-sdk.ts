import { createDeepSeek } from '@ai-sdk/deepseek';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import {
  embedMany,
  generateText,
  Output,
  stepCountIs,
  streamText,
  tool,
  type EmbeddingModel,
  type LanguageModel,
  type ModelMessage,
} from 'ai';
import { z } from 'zod';
import { cannot, chatModel, type Ask, type Calls, type Client, type Reply, type Weather } from '../client.ts';

const source = import.meta.filename;

const asking = (model: string) => `
const { text } = await generateText({ model: ${model}, prompt: 'What should I not cook for Ana?' });
console.log(text);`;

/** Vercel's AI SDK, with the providers that talk to OpenAI's API. */
export const AI_SDKS: Client[] = [
  {
    name: 'ai, openai-compatible',
    modules: ['ai', '@ai-sdk/openai-compatible'],
    source,
    ask: asking('ccc(chatModel)'),
    connect({ baseURL, apiKey }) {
      // configuration: ai, openai-compatible
      const ccc = createOpenAICompatible({
        name: 'ccc',
        baseURL,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      });
      // end
      return aiCalls({ chat: ccc('m'), embedding: ccc.embeddingModel('e'), withFields: true });
    },
  },
  {
    name: 'ai, openai',
    modules: ['ai', '@ai-sdk/openai'],
    source,
    ask: asking('model'),
    connect({ baseURL, apiKey }) {
      // configuration: ai, openai
      const openai = createOpenAI({ baseURL, apiKey });
      const model = openai.chat(chatModel); // openai(chatModel) speaks /responses, which is under /v1 only
      // end
      return aiCalls(
        { chat: model, embedding: openai.embeddingModel('e'), responses: openai('m') },
        {
          reasoning: cannot('the provider does not read a chat’s reasoning'),
          showsProgress: cannot('nothing comes out of the provider before the approved answer'),
        },
      );
    },
  },
  {
    name: 'ai, deepseek',
    modules: ['ai', '@ai-sdk/deepseek'],
    source,
    ask: asking('deepseek(chatModel)'),
    connect({ baseURL, apiKey }) {
      // configuration: ai, deepseek
      const deepseek = createDeepSeek({ baseURL, apiKey });
      // end
      return aiCalls({ chat: deepseek('m') });
    },
  },
  {
    name: 'ai, openrouter',
    modules: ['ai', '@openrouter/ai-sdk-provider'],
    source,
    ask: asking('openrouter.chat(chatModel)'),
    connect({ baseURL, apiKey }) {
      // configuration: ai, openrouter
      const openrouter = createOpenRouter({ baseURL, apiKey });
      // end
      const withFields = (extraBody: Record<string, unknown>) => openrouter.chat('m', { extraBody });
      return aiCalls({
        chat: openrouter.chat('m'),
        embedding: openrouter.textEmbeddingModel('e'),
        withFields,
      });
    },
  },
];

interface Models {
  chat: LanguageModel;
  embedding?: EmbeddingModel;
  responses?: LanguageModel;
  /** The model with these fields in the body, or true where `providerOptions` under the provider's name become such. */
  withFields?: true | ((fields: Record<string, unknown>) => LanguageModel);
}

function aiCalls({ chat, embedding, responses, withFields }: Models, differs: Partial<Calls> = {}): Calls {
  const given = (ask: Ask) => ({
    model: ask.fields && typeof withFields === 'function' ? withFields(ask.fields) : chat,
    ...(ask.signal ? { abortSignal: ask.signal } : {}),
    ...(ask.once ? { maxRetries: 0 } : {}),
    ...(ask.fields && withFields === true
      ? { providerOptions: { ccc: ask.fields as Record<string, never> } }
      : {}),
  });
  const weatherTool = (weather: Weather) => ({
    weather: tool({
      description: 'The weather in a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => weather(city),
    }),
  });

  async function whole(ask: Ask, more: object = {}): Promise<Reply> {
    const { text, finishReason, usage, reasoningText } = await generateText({
      ...given(ask),
      prompt: ask.prompt,
      ...more,
    });
    return { text, finishReason, totalTokens: usage.totalTokens, reasoning: reasoningText ?? '' };
  }

  async function streamed(ask: Ask, more: object = {}): Promise<Reply> {
    let failed: { error: unknown } | undefined;
    const stream = streamText({
      ...given(ask),
      prompt: ask.prompt,
      onError: (failure) => {
        failed = failure;
      },
      ...more,
    });
    let text = '';
    let reasoning = '';
    for await (const part of stream.fullStream) {
      if (!['start', 'start-step', 'error', 'abort'].includes(part.type)) ask.onPiece?.();
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'reasoning-delta') reasoning += part.text;
    }
    if (failed) throw failed.error;
    const { totalTokens } = await stream.totalUsage;
    return { text, reasoning, finishReason: await stream.finishReason, totalTokens };
  }

  return {
    create: (ask) => whole(ask),
    stream: (ask) => streamed(ask),
    models: cannot('no call for it'),
    tools: (ask, weather, asStream) =>
      (asStream ? streamed : whole)(ask, { tools: weatherTool(weather), stopWhen: stepCountIs(5) }),
    async structured(ask) {
      const shape = z.object({ rivers: z.array(z.string()) });
      const made = await generateText({
        ...given(ask),
        prompt: ask.prompt,
        output: Output.object({ schema: shape }),
      });
      return made.output;
    },
    image(ask, image) {
      const content = [
        { type: 'text' as const, text: ask.prompt },
        { type: 'image' as const, image },
      ];
      const messages: ModelMessage[] = [{ role: 'user', content }];
      return whole(ask, { prompt: messages });
    },
    embed: embedding
      ? async (values) => (await embedMany({ model: embedding, values })).embeddings
      : cannot('the provider has no embeddings'),
    responses: responses
      ? (ask, asStream) => (asStream ? streamed : whole)(ask, { model: responses })
      : cannot('the provider speaks chat completions only'),
    reasoning: true,
    abortsCreate: true,
    abortsStream: true,
    abortsMidStream: true,
    showsProgress: true,
    retries: true,
    fields: withFields ? true : cannot('the provider passes on no fields that it does not know'),
    ...differs,
  };
}
