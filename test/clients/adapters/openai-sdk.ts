import OpenAI4 from 'openai-4';
import { zodResponseFormat as zodResponseFormat4 } from 'openai-4/helpers/zod';
import OpenAI5 from 'openai-5';
import { zodResponseFormat as zodResponseFormat5 } from 'openai-5/helpers/zod';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import { cityOf, WEATHER, type Ask, type Calls, type Client, type Reply } from '../client.ts';

const source = import.meta.filename;

export const SDK_ASKS = `
const answer = await client.chat.completions.create({
  model: chatModel,
  messages: [{ role: 'user', content: 'What should I not cook for Ana?' }],
});
console.log(answer.choices[0].message.content);`;

/** OpenAI's own SDK, the three majors that are in use. Zod 3 was current with the first two. */
export const OPENAI_SDKS: Client[] = [
  {
    name: 'openai 4',
    modules: ['openai-4'],
    source,
    ask: SDK_ASKS,
    connect({ baseURL, apiKey }) {
      // configuration: openai 4
      const client = new OpenAI4({ baseURL, apiKey });
      // end
      const shape = z3.object({ rivers: z3.array(z3.string()) });
      return sdkCalls(client as unknown as OpenAI, {
        helpers: client.beta.chat.completions as unknown as Helpers,
        responseFormat: zodResponseFormat4(shape as never, 'rivers') as Format,
      });
    },
  },
  {
    name: 'openai 5',
    modules: ['openai-5'],
    source,
    ask: SDK_ASKS,
    connect({ baseURL, apiKey }) {
      // configuration: openai 5
      const client = new OpenAI5({ baseURL, apiKey });
      // end
      const shape = z3.object({ rivers: z3.array(z3.string()) });
      return sdkCalls(client as unknown as OpenAI, {
        helpers: client.chat.completions as unknown as Helpers,
        responseFormat: zodResponseFormat5(shape as never, 'rivers') as Format,
      });
    },
  },
  {
    name: 'openai 6',
    modules: ['openai'],
    source,
    ask: SDK_ASKS,
    connect({ baseURL, apiKey }) {
      // configuration: openai 6
      const client = new OpenAI({ baseURL, apiKey });
      // end
      const shape = z.object({ rivers: z.array(z.string()) });
      return sdkCalls(client, {
        helpers: client.chat.completions,
        responseFormat: zodResponseFormat(shape, 'rivers'),
      });
    },
  },
];

type Format = ReturnType<typeof zodResponseFormat>;
/** `parse` and `stream`; version 4 has them under `beta`. */
type Helpers = Pick<OpenAI['chat']['completions'], 'parse' | 'stream'>;
type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
type Message = OpenAI.ChatCompletionMessageParam;

/** What all three do in the same words. The types are those of version 6. */
export function sdkCalls(
  client: OpenAI,
  { helpers, responseFormat }: { helpers: Helpers; responseFormat: Format },
): Calls {
  const options = ({ signal }: Ask) => (signal ? { signal } : {});
  const body = ({ prompt, fields }: Ask): Body => ({
    model: 'm',
    messages: [{ role: 'user', content: prompt }],
    ...fields,
  });

  async function whole(params: Body, ask: Ask): Promise<Reply> {
    const { choices, usage } = await client.chat.completions.create(params, options(ask));
    return replyOf(choices[0], usage);
  }

  async function toolStep(params: Body, streamed: boolean, ask: Ask) {
    if (!streamed) return (await client.chat.completions.create(params, options(ask))).choices[0]!;
    return (await helpers.stream({ ...params, stream: true }).finalChatCompletion()).choices[0]!;
  }

  return {
    create: (ask) => whole(body(ask), ask),
    async stream(ask) {
      const stream = await client.chat.completions.create(
        { ...body(ask), stream: true, stream_options: { include_usage: true } },
        options(ask),
      );
      const reply: Reply = { text: '', reasoning: '' };
      for await (const { choices, usage } of stream) {
        ask.onPiece?.();
        const [choice] = choices;
        reply.text += choice?.delta.content ?? '';
        reply.reasoning += (choice?.delta as Thoughts | undefined)?.reasoning_content ?? '';
        reply.finishReason = choice?.finish_reason ?? reply.finishReason;
        reply.totalTokens = usage?.total_tokens ?? reply.totalTokens;
      }
      return reply;
    },
    async models() {
      const ids: string[] = [];
      for await (const { id } of client.models.list()) ids.push(id);
      return ids;
    },
    async tools(ask, weather, streamed) {
      const tools = [{ type: 'function' as const, function: { ...WEATHER } }];
      const messages: Message[] = [{ role: 'user', content: ask.prompt }];
      for (;;) {
        const choice = await toolStep({ model: 'm', messages, tools }, streamed, ask);
        messages.push(choice.message);
        if (choice.finish_reason !== 'tool_calls') return replyOf(choice, null);
        for (const call of choice.message.tool_calls ?? []) {
          if (call.type !== 'function') continue;
          const content = weather(cityOf(call.function.arguments));
          messages.push({ role: 'tool', tool_call_id: call.id, content });
        }
      }
    },
    async structured(ask) {
      const parsed = await helpers.parse({ ...body(ask), response_format: responseFormat });
      return parsed.choices[0]?.message.parsed;
    },
    image: (ask, url) =>
      whole(
        {
          model: 'm',
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: ask.prompt },
                { type: 'image_url', image_url: { url } },
              ],
            },
          ],
        },
        ask,
      ),
    async embed(input) {
      const { data } = await client.embeddings.create({ model: 'e', input });
      return data.map(({ embedding }) => embedding);
    },
    async responses({ prompt }, streamed) {
      const asked = { model: 'm', input: prompt };
      if (!streamed) {
        const { output_text, usage } = await client.responses.create(asked);
        return { text: output_text, totalTokens: usage?.total_tokens };
      }
      const reply: Reply = { text: '' };
      for await (const event of await client.responses.create({ ...asked, stream: true })) {
        if (event.type === 'response.output_text.delta') reply.text += event.delta;
        if (event.type === 'response.completed') reply.totalTokens = event.response.usage?.total_tokens;
      }
      return reply;
    },
    reasoning: true,
    abortsCreate: true,
    abortsStream: true,
    abortsMidStream: true,
    showsProgress: true,
    retries: true,
    fields: true,
  };
}

/** What compatible servers add to a message, and readers of raw messages look for. */
interface Thoughts {
  reasoning_content?: string | null;
}

function replyOf(
  choice: OpenAI.ChatCompletion.Choice | undefined,
  usage: { total_tokens: number } | null | undefined,
): Reply {
  return {
    text: choice?.message.content ?? '',
    finishReason: choice?.finish_reason,
    totalTokens: usage?.total_tokens,
    reasoning: (choice?.message as Thoughts | undefined)?.reasoning_content ?? '',
  };
}
