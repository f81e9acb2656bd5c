import type { ToolMessage } from '@langchain/core/messages';
import { HumanMessage, type AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { cannot, chatModel, embeddingModel, type Ask, type Client, type Reply } from '../client.ts';

export const LANGCHAIN: Client = {
  name: 'LangChain',
  modules: ['@langchain/openai'],
  source: import.meta.filename,
  ask: `
const { text } = await model.invoke('What should I not cook for Ana?');
console.log(text);`,
  connect({ baseURL, apiKey }) {
    // configuration: LangChain
    const model = new ChatOpenAI({ model: chatModel, apiKey, configuration: { baseURL } });
    const embeddings = new OpenAIEmbeddings({ model: embeddingModel, apiKey, configuration: { baseURL } });
    // end
    const modelFor = ({ fields }: Ask) =>
      fields
        ? new ChatOpenAI({ model: 'm', apiKey, configuration: { baseURL }, modelKwargs: fields })
        : model;
    const options = ({ signal }: Ask) => (signal ? { signal } : {});
    return {
      create: async (ask) => replyOf(await modelFor(ask).invoke(ask.prompt, options(ask))),
      stream: async (ask) =>
        replyOf(await collect(await modelFor(ask).stream(ask.prompt, options(ask)), ask)),
      models: cannot('no call for it'),
      async tools(ask, weather, streamed) {
        const look = tool(({ city }: { city: string }) => weather(city), {
          name: 'weather',
          description: 'The weather in a city.',
          schema: z.object({ city: z.string() }),
        });
        const able = model.bindTools([look]);
        const messages: BaseMessage[] = [new HumanMessage(ask.prompt)];
        for (;;) {
          const message = streamed
            ? await collect(await able.stream(messages), ask)
            : await able.invoke(messages);
          messages.push(message);
          if ((message.tool_calls ?? []).length === 0) return replyOf(message);
          for (const call of message.tool_calls ?? []) {
            messages.push((await look.invoke({ ...call, type: 'tool_call' })) as ToolMessage);
          }
        }
      },
      structured: (ask) =>
        model.withStructuredOutput(z.object({ rivers: z.array(z.string()) })).invoke(ask.prompt),
      async image(ask, url) {
        const content = [
          { type: 'text', text: ask.prompt },
          { type: 'image_url', image_url: { url } },
        ];
        return replyOf(await model.invoke([new HumanMessage({ content })]));
      },
      embed: (texts) => embeddings.embedDocuments(texts),
      async responses(ask, streamed) {
        const speaking = new ChatOpenAI({
          model: 'm',
          apiKey,
          configuration: { baseURL },
          useResponsesApi: true,
        });
        return replyOf(
          streamed
            ? await collect(await speaking.stream(ask.prompt), ask)
            : await speaking.invoke(ask.prompt),
        );
      },
      reasoning: cannot('its version 1.0 drops a message’s reasoning'),
      abortsCreate: true,
      abortsStream: true,
      abortsMidStream: true,
      showsProgress: true,
      retries: true,
      fields: true,
    };
  },
};

async function collect(stream: AsyncIterable<AIMessageChunk>, ask: Ask): Promise<AIMessageChunk> {
  let all: AIMessageChunk | undefined;
  for await (const piece of stream) {
    ask.onPiece?.();
    all = all ? all.concat(piece) : piece;
  }
  return all!;
}

interface Said {
  text: string;
  response_metadata: Record<string, unknown>;
  usage_metadata?: { total_tokens: number } | undefined;
  additional_kwargs: Record<string, unknown>;
}

function replyOf({ text, response_metadata, usage_metadata, additional_kwargs }: Said): Reply {
  return {
    text,
    finishReason: response_metadata['finish_reason'] as string | undefined,
    totalTokens: usage_metadata?.total_tokens,
    reasoning: (additional_kwargs['reasoning_content'] as string | undefined) ?? '',
  };
}
