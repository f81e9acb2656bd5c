import type { ChatMessage, ToolCall, ToolCallLLMMessageOptions } from '@llamaindex/core/llms';
import { tool } from '@llamaindex/core/tools';
import { openai, OpenAIEmbedding, openaiResponses } from '@llamaindex/openai';
import { z } from 'zod';
import {
  cannot,
  chatModel,
  cityOf,
  embeddingModel,
  type Ask,
  type Client,
  type Reply,
  type Weather,
} from '../client.ts';

type Message = ChatMessage<ToolCallLLMMessageOptions>;

export const LLAMAINDEX: Client = {
  name: 'LlamaIndex',
  modules: ['@llamaindex/openai'],
  source: import.meta.filename,
  ask: `
const { message } = await llm.chat({
  messages: [{ role: 'user', content: 'What should I not cook for Ana?' }],
});
console.log(message.content);`,
  connect({ baseURL, apiKey }) {
    // configuration: LlamaIndex
    const llm = openai({ model: chatModel, baseURL, apiKey });
    const embedding = new OpenAIEmbedding({ model: embeddingModel, baseURL, apiKey });
    // end
    const messages = ({ prompt }: Ask): Message[] => [{ role: 'user', content: prompt }];
    const options = ({ fields }: Ask) => (fields ? { additionalChatOptions: fields } : {});

    async function whole(ask: Ask, history = messages(ask)): Promise<Reply> {
      const { raw, message } = await llm.chat({ messages: history, ...options(ask) });
      const { choices, usage } = raw as Raw;
      return {
        text: String(message.content),
        finishReason: choices[0]?.finish_reason ?? undefined,
        totalTokens: usage?.total_tokens,
      };
    }

    return {
      create: (ask) => whole(ask),
      async stream(ask) {
        const stream = await llm.chat({
          messages: messages(ask),
          stream: true,
          additionalChatOptions: { ...ask.fields, stream_options: { include_usage: true } },
        });
        const reply: Reply = { text: '' };
        for await (const { delta, raw } of stream) {
          ask.onPiece?.();
          reply.text += delta;
          reply.finishReason = (raw as Raw).choices[0]?.finish_reason ?? reply.finishReason;
          reply.totalTokens = (raw as Raw).usage?.total_tokens ?? reply.totalTokens;
        }
        return reply;
      },
      models: cannot('no call for it'),
      async tools(ask, weather, streamed) {
        const history = messages(ask);
        const tools = [weatherTool(weather)];
        for (;;) {
          const { text, calls } = await toolStep(history, tools, streamed);
          if (calls.length === 0) return { text };
          history.push({ role: 'assistant', content: text, options: { toolCall: calls } });
          for (const { id, input } of calls) {
            const result = weather(cityOf(input));
            const toolResult = { id, result, isError: false };
            history.push({ role: 'user', content: result, options: { toolResult } });
          }
        }
      },
      async structured(ask) {
        const responseFormat = z.object({ rivers: z.array(z.string()) });
        const { message } = await llm.chat({ messages: messages(ask), responseFormat });
        return JSON.parse(String(message.content)) as unknown;
      },
      image: (ask, url) =>
        whole(ask, [
          {
            role: 'user',
            content: [
              { type: 'text', text: ask.prompt },
              { type: 'image_url', image_url: { url } },
            ],
          },
        ]),
      embed: (texts) => embedding.getTextEmbeddings(texts),
      async responses(ask, streamed) {
        const speaking = openaiResponses({ model: 'm', baseURL, apiKey });
        const asked = { messages: [{ role: 'user' as const, content: ask.prompt }] };
        if (streamed) {
          let text = '';
          // Its own `delta` is told again with every later event, from any server.
          for await (const { raw } of await speaking.chat({ ...asked, stream: true })) {
            const { type, delta } = raw as { type: string; delta?: string };
            if (type === 'response.output_text.delta') text += delta ?? '';
          }
          return { text };
        }
        const { message } = await speaking.chat(asked);
        return { text: textOf(message.content) };
      },
      reasoning: cannot('it drops all of a chunk but text and tool calls'),
      abortsCreate: cannot('it takes no signal'),
      abortsStream: cannot('it takes no signal'),
      abortsMidStream: cannot('it takes no signal, and reads on when the loop is left'),
      showsProgress: cannot('nothing comes out of it before the approved answer'),
      retries: true,
      fields: true,
    };

    async function toolStep(
      history: Message[],
      tools: ReturnType<typeof weatherTool>[],
      streamed: boolean,
    ): Promise<{ text: string; calls: ToolCall[] }> {
      if (!streamed) {
        const { message } = await llm.chat({ messages: [...history], tools });
        return { text: String(message.content), calls: callsOf(message.options) as ToolCall[] };
      }
      let text = '';
      const calls = new Map<string, ToolCall>();
      for await (const piece of await llm.chat({ messages: [...history], tools, stream: true })) {
        text += piece.delta;
        for (const call of callsOf(piece.options)) calls.set(call.id, call as ToolCall);
      }
      return { text, calls: [...calls.values()] };
    }
  },
};

interface Raw {
  choices: { finish_reason: string | null }[];
  usage?: { total_tokens: number } | null;
}

const callsOf = (options: object | undefined) =>
  options && 'toolCall' in options ? (options.toolCall as { id: string; input: unknown }[]) : [];

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : (content as { text?: string }[]).map(({ text = '' }) => text).join('');

function weatherTool(weather: Weather) {
  return tool(({ city }) => weather(city), {
    name: 'weather',
    description: 'The weather in a city.',
    parameters: z.object({ city: z.string() }),
  });
}
