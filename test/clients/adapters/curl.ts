import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cannot,
  cityOf,
  WEATHER,
  type Ask,
  type Calls,
  type Client,
  type Connection,
  type Reply,
} from '../client.ts';

const source = join(import.meta.dirname, 'curl.sh');
const CHAT = readFileSync(source, 'utf8');

/** curl, with the command that the documentation shows; another path is put into it for what is not chat. */
export const CURL: Client = {
  name: 'curl',
  modules: [],
  source,
  ask: `
BASE_URL=http://127.0.0.1:5111/v2
API_KEY=$CCC_SESSION_TOKEN
BODY='{"messages": [{"role": "user", "content": "What should I not cook for Ana?"}]}'`,
  connect: curlCalls,
};

interface Piece {
  error?: { message: string };
  choices: {
    message?: Message;
    delta?: Message;
    finish_reason: string | null;
  }[];
  usage?: { total_tokens: number } | null;
}
interface Message {
  role: string;
  content?: string | null;
  reasoning_content?: string;
  tool_calls?: { index?: number; id?: string; function: { name?: string; arguments: string } }[];
}

function curlCalls(to: Connection): Calls {
  const post = (body: object, ask: Ask = { prompt: '' }, path = '/chat/completions') =>
    run(CHAT.replace('/chat/completions', path), to, JSON.stringify(body), ask);
  const chat = async (body: object, ask: Ask) =>
    JSON.parse(await post({ model: 'm', ...ask.fields, ...body }, ask)) as Piece;
  const messages = ({ prompt }: Ask) => [{ role: 'user', content: prompt }];
  const replyOf = ({ choices, usage }: Piece) => ({
    text: choices[0]?.message?.content ?? '',
    finishReason: choices[0]?.finish_reason ?? undefined,
    totalTokens: usage?.total_tokens,
    reasoning: choices[0]?.message?.reasoning_content ?? '',
  });
  async function streamed(body: object, ask: Ask): Promise<Piece> {
    const text = await post({ model: 'm', stream: true, ...ask.fields, ...body }, ask);
    return together(text);
  }

  return {
    create: async (ask) => replyOf(await chat({ messages: messages(ask) }, ask)),
    stream: async (ask) =>
      replyOf(await streamed({ messages: messages(ask), stream_options: { include_usage: true } }, ask)),
    async models() {
      const command = CHAT.replace('/chat/completions', '/models').replace(' -d "$BODY"', '');
      const list = JSON.parse(await run(command, to, '', { prompt: '' })) as { data: { id: string }[] };
      return list.data.map(({ id }) => id);
    },
    async tools(ask, weather, stream) {
      const history: object[] = messages(ask);
      const tools = [{ type: 'function', function: WEATHER }];
      for (;;) {
        const whole = await (stream ? streamed : chat)({ messages: history, tools }, ask);
        const { tool_calls: calls = [], ...message } = whole.choices[0]!.message!;
        if (calls.length === 0) return replyOf(whole);
        history.push({ ...message, tool_calls: calls });
        for (const { id, function: call } of calls) {
          history.push({ role: 'tool', tool_call_id: id, content: weather(cityOf(call.arguments)) });
        }
      }
    },
    async structured(ask) {
      const schema = {
        type: 'object',
        properties: { rivers: { type: 'array', items: { type: 'string' } } },
        required: ['rivers'],
        additionalProperties: false,
      };
      const response_format = { type: 'json_schema', json_schema: { name: 'rivers', strict: true, schema } };
      const { text } = replyOf(await chat({ messages: messages(ask), response_format }, ask));
      return JSON.parse(text) as unknown;
    },
    async image(ask, url) {
      const content = [
        { type: 'text', text: ask.prompt },
        { type: 'image_url', image_url: { url } },
      ];
      return replyOf(await chat({ messages: [{ role: 'user', content }] }, ask));
    },
    async embed(input) {
      const list = JSON.parse(await post({ model: 'e', input }, undefined, '/embeddings')) as {
        data: { embedding: number[] }[];
      };
      return list.data.map(({ embedding }) => embedding);
    },
    async responses(ask, stream) {
      if (stream)
        return ofResponses(await post({ model: 'm', input: ask.prompt, stream }, ask, '/responses'));
      const answer = JSON.parse(await post({ model: 'm', input: ask.prompt }, ask, '/responses')) as {
        output: { content: { text: string }[] }[];
        usage: { total_tokens: number };
      };
      return { text: answer.output[0]!.content[0]!.text, totalTokens: answer.usage.total_tokens };
    },
    reasoning: true,
    abortsCreate: true,
    abortsStream: true,
    abortsMidStream: true,
    showsProgress: true,
    retries: cannot('tries again only with --retry'),
    fields: true,
  };
}

/** Runs the command and gives what it prints. @throws with its words when curl fails */
function run(command: string, to: Connection, body: string, ask: Ask): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', BASE_URL: to.baseURL, API_KEY: to.apiKey, BODY: body };
    const child = spawn('bash', ['-c', `exec ${command}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      ask.onPiece?.();
    });
    ask.signal?.addEventListener('abort', () => child.kill());
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`curl ended with ${String(code)}: ${words}${out}`));
    });
  });
}

/** The pieces of a stream as one completion, put together as a script with `jq` would. @throws when one is an error */
function together(text: string): Piece {
  const lines = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
  const message: Message = { role: 'assistant', content: '', reasoning_content: '' };
  const whole: Piece = { choices: [{ message, finish_reason: null }] };
  for (const line of lines) {
    const { error, choices, usage } = JSON.parse(line.slice('data: '.length)) as Piece;
    if (error) throw new Error(error.message);
    if (usage) whole.usage = usage;
    const [{ delta, finish_reason = null } = {}] = choices;
    whole.choices[0]!.finish_reason ??= finish_reason;
    message.content += delta?.content ?? '';
    message.reasoning_content += delta?.reasoning_content ?? '';
    for (const { index = 0, id, function: part } of delta?.tool_calls ?? []) {
      message.tool_calls ??= [];
      const call = (message.tool_calls[index] ??= { function: { arguments: '' } });
      if (id !== undefined) Object.assign(call, { id, type: 'function' });
      if (part.name !== undefined) call.function.name = part.name;
      call.function.arguments += part.arguments;
    }
  }
  return whole;
}

/** The same for the events of the Responses API. */
function ofResponses(text: string): Reply {
  const reply: Reply = { text: '' };
  for (const line of text.split('\n').filter((each) => each.startsWith('data: '))) {
    const event = JSON.parse(line.slice('data: '.length)) as {
      type: string;
      delta?: string;
      response?: { usage: { total_tokens: number } | null };
    };
    if (event.type === 'response.output_text.delta') reply.text += event.delta ?? '';
    reply.totalTokens = event.response?.usage?.total_tokens ?? reply.totalTokens;
  }
  return reply;
}
