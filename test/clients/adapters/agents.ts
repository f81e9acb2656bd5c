import {
  Agent,
  OpenAIProvider,
  Runner,
  tool,
  type AgentInputItem,
  type AgentOutputType,
} from '@openai/agents';
import { z } from 'zod';
import { cannot, type Ask, type Client, type Reply, type Weather } from '../client.ts';

export const AGENTS: Client = {
  name: 'OpenAI Agents',
  modules: ['@openai/agents'],
  source: import.meta.filename,
  ask: `
const agent = new Agent({ name: 'Assistant', instructions: 'You are helpful.', model: chatModel });
const { finalOutput } = await runner.run(agent, 'What should I not cook for Ana?');
console.log(finalOutput);`,
  connect({ baseURL, apiKey }) {
    // configuration: OpenAI Agents
    const modelProvider = new OpenAIProvider({ baseURL, apiKey, useResponses: false });
    const runner = new Runner({ modelProvider, tracingDisabled: true }); // traces would go to OpenAI
    // end
    const agentFor = ({ fields }: Ask, more: { weather?: Weather; outputType?: AgentOutputType } = {}) => {
      const { weather, outputType } = more;
      return new Agent({
        name: 'Assistant',
        instructions: 'You are a helpful assistant.',
        model: 'm',
        ...(fields ? { modelSettings: { providerData: fields } } : {}),
        ...(weather ? { tools: [weatherTool(weather)] } : {}),
        ...(outputType ? { outputType } : {}),
      });
    };

    async function whole(
      ask: Ask,
      agent = agentFor(ask),
      input?: AgentInputItem[],
      by = runner,
    ): Promise<Reply> {
      const options = ask.signal ? { signal: ask.signal } : {};
      return replyOf(await by.run(agent, input ?? ask.prompt, options));
    }

    async function streamed(ask: Ask, agent = agentFor(ask), by = runner): Promise<Reply> {
      const options = { stream: true as const, ...(ask.signal ? { signal: ask.signal } : {}) };
      const result = await by.run(agent, ask.prompt, options);
      for await (const event of result) if (event.type === 'raw_model_stream_event') ask.onPiece?.();
      await result.completed;
      return replyOf(result);
    }

    return {
      create: (ask) => whole(ask),
      stream: (ask) => streamed(ask),
      models: cannot('no call for it'),
      tools: (ask, weather, asStream) => (asStream ? streamed : whole)(ask, agentFor(ask, { weather })),
      async structured(ask) {
        const outputType = z.object({ rivers: z.array(z.string()) });
        return (await runner.run(agentFor(ask, { outputType }), ask.prompt)).finalOutput;
      },
      image: (ask, image) =>
        whole(ask, agentFor(ask), [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: ask.prompt },
              { type: 'input_image', image },
            ],
          },
        ]),
      embed: cannot('no call for it'),
      responses(ask, asStream) {
        const speaking = new Runner({
          modelProvider: new OpenAIProvider({ baseURL, apiKey, useResponses: true }),
          tracingDisabled: true,
        });
        const agent = agentFor(ask);
        return asStream ? streamed(ask, agent, speaking) : whole(ask, agent, undefined, speaking);
      },
      reasoning: true,
      abortsCreate: true,
      abortsStream: true,
      abortsMidStream: true,
      showsProgress: true,
      retries: true,
      fields: true,
    };
  },
};

function weatherTool(weather: Weather) {
  return tool({
    name: 'weather',
    description: 'The weather in a city.',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => weather(city),
  });
}

interface Result {
  finalOutput?: unknown;
  rawResponses: { usage: { totalTokens: number } }[];
  newItems: { type: string; rawItem?: unknown }[];
}

function replyOf({ finalOutput, rawResponses, newItems }: Result): Reply {
  const thoughts = newItems
    .filter(({ type }) => type === 'reasoning_item')
    .map(({ rawItem }) => (rawItem as { rawContent?: { text: string }[] }).rawContent ?? []);
  return {
    text: typeof finalOutput === 'string' ? finalOutput : '',
    totalTokens: rawResponses.reduce((sum, { usage }) => sum + usage.totalTokens, 0),
    reasoning: thoughts
      .flat()
      .map(({ text }) => text)
      .join(''),
  };
}
