import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { chunk, DONE, type Script } from '../http/chat/support.ts';
import { answering, approving, startForClients } from './support.ts';

const RIVERS = 'Niger, Nile, Congo.';
const messages = [{ role: 'user' as const, content: 'Name three rivers.' }];
const CYCLE = { covenant_mode: 'cycle' };

/** The bytes of a supervised stream, as lines. */
async function linesOf(script: Script, covenant: object = {}, options: object = {}): Promise<string[]> {
  const { baseURL, apiKey } = await startForClients('/v2', script, CYCLE, options);
  const response = await fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model: 'm', messages, stream: true, covenant }),
  });
  return (await response.text()).split('\n');
}
interface Part {
  id?: string;
  object?: string;
  created?: number;
  model?: string;
  choices?: { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
}
const partsOf = (lines: string[]) =>
  lines
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Part);

/** The same, but every answer of the upstream takes so long that comments have to be sent in between. */
const slow =
  (script: Script): Script =>
  async (res, seen) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return script(res, seen);
  };

describe('the stream of a cycle', () => {
  it.each(['off', 'reasoning', 'full'])(
    'has data and comments and no other line: named events, ids and retries break clients (narration: %s)',
    async (narration) => {
      const lines = await linesOf(slow(approving(RIVERS)), { narration }, { heartbeatMs: 20 });
      const kinds = new Set(lines.map((line) => /^(?:data: |:|$)/.exec(line)?.[0] ?? line));
      expect([...kinds].sort()).toEqual(['', ':', 'data: ']);
      expect(lines.filter((line) => line.startsWith(':')).length).toBeGreaterThan(1);
      expect(lines.filter((line) => line.startsWith('data: ')).at(-1)).toBe('data: [DONE]');
    },
  );

  it.each(['off', 'reasoning', 'full'])(
    'has nothing of its own inside a delta, and a whole envelope around each (narration: %s)',
    async (narration) => {
      const parts = partsOf(await linesOf(approving(RIVERS), { narration }));
      for (const part of parts) {
        expect(part).toMatchObject({ object: 'chat.completion.chunk', model: expect.any(String) as string });
        expect(part.id).toBe(parts[0]?.id);
        for (const { delta, index } of part.choices ?? []) {
          expect(index).toBe(0);
          const known = ['role', 'content', 'reasoning_content', 'reasoning'];
          expect(Object.keys(delta).filter((key) => !known.includes(key))).toEqual([]);
          // The same text for clients that read one field, and for those that read the other.
          expect(delta['reasoning']).toBe(delta['reasoning_content']);
        }
      }
      const content = parts.map((part) => part.choices?.[0]?.delta['content'] ?? '').join('');
      expect(content).toBe(RIVERS);
    },
  );

  it.each(['stop', 'length', 'content_filter', 'end_turn', 'eos'])(
    'ends with one of the four reasons that clients know, whatever the upstream says: %s',
    async (reason) => {
      let call = 0;
      const others = [answering('Be short.'), answering('{"decision":"approve"}')];
      const lines = await linesOf((res, seen) => {
        call += 1;
        if (call !== 2) return others[call === 1 ? 0 : 1]?.(res, seen);
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        return res.end(chunk({ role: 'assistant', content: RIVERS }) + chunk({}, reason) + DONE);
      });
      const reasons = partsOf(lines).flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []);
      expect(reasons).toEqual([['length', 'content_filter'].includes(reason) ? reason : 'stop']);
    },
  );
});

describe('comments that keep a silent stream awake', () => {
  const open = () => startForClients('/v2', slow(approving(RIVERS)), CYCLE, { heartbeatMs: 10 });

  it('are read over by the OpenAI SDK', async () => {
    const { baseURL, apiKey } = await open();
    const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
    expect(await client.chat.completions.stream({ model: 'm', messages }).finalContent()).toBe(RIVERS);
  });

  it('are read over by the AI SDK', async () => {
    const { baseURL, apiKey } = await open();
    const model = createOpenAICompatible({ name: 'ccc', baseURL, apiKey })('m');
    const streamed = streamText({ model, prompt: 'Name three rivers.' });
    let text = '';
    for await (const piece of streamed.textStream) text += piece;
    expect(text).toBe(RIVERS);
  });

  it('are read over by LangChain', async () => {
    const { baseURL, apiKey } = await open();
    const model = new ChatOpenAI({ model: 'm', apiKey, configuration: { baseURL }, maxRetries: 0 });
    let text = '';
    for await (const piece of await model.stream('Name three rivers.')) text += String(piece.content);
    expect(text).toBe(RIVERS);
  });
});
