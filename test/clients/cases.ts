import { expect } from 'vitest';
import { failure, json, type ToolCallScript } from '../support/upstream.ts';
import { ABORTS, BREAKS } from './cases-of-failure.ts';
import { expectFailure, without, type Case, type Stage } from './case.ts';
import type { Can } from './client.ts';
import type { PathName } from './paths.ts';
import { answers, narrationOf, responds, RIVERS } from './script.ts';

/** The method, where `lacks` has said that it is there. */
const able = <F>(can: Can<F>): F => can as F;

const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const ASKED = 'Name three rivers.';

/** A cycle makes three calls of eight tokens. */
const tokensOn = (path: PathName) => (path === '/v2 cycle' ? 24 : 8);

function expectAnswer(
  reply: { text: string; finishReason?: string | undefined; totalTokens?: number | undefined },
  path: PathName,
  text = RIVERS,
) {
  expect(reply.text).toBe(text);
  expect(reply.finishReason ?? 'stop').toBe('stop');
  expect(reply.totalTokens ?? tokensOn(path)).toBe(tokensOn(path));
}

const callTo = (id: string, city: string): ToolCallScript => ({
  id,
  name: 'weather',
  arguments: JSON.stringify({ city }),
});

/** Calls for the weather in each city at once, sees the results come back, and answers. */
async function useTools({ calls, path, begin }: Stage, cities: string[], streamed: boolean): Promise<void> {
  const run = begin(
    answers(({ json: { messages } }) =>
      (messages as { role: string }[]).some((message) => message.role === 'tool')
        ? { content: 'It rains.' }
        : { toolCalls: cities.map((city) => callTo(`call_${city}_${run.tag}`, city)) },
    ),
  );
  const asked: string[] = [];
  const weather = (city: string) => {
    asked.push(city);
    return `rain in ${city}`;
  };
  const reply = await able(calls.tools)({ prompt: `Weather? ${run.tag}` }, weather, streamed);
  expect(reply.text).toBe('It rains.');
  expect(asked).toEqual(cities);
  // With the results Codey is called once more, and in a cycle Beatrice reviews what he makes of them.
  const last = run.calls[path === '/v2 cycle' ? 2 : 1]!;
  const results = (last.json.messages as { role: string; tool_call_id?: string; content?: unknown }[]).filter(
    (message) => message.role === 'tool',
  );
  expect(results.map(({ tool_call_id }) => tool_call_id)).toEqual(
    cities.map((city) => `call_${city}_${run.tag}`),
  );
  for (const [at, city] of cities.entries()) expect(JSON.stringify(results[at])).toContain(`rain in ${city}`);
}

export const CASES: Case[] = [
  {
    name: 'models',
    means: 'lists the upstream’s models',
    lacks: ({ models }) => without(models),
    async run({ calls, begin }) {
      begin(
        json({ object: 'list', data: [{ id: 'up-model', object: 'model', created: 1, owned_by: 'up' }] }),
      );
      expect(await able(calls.models)()).toEqual(['up-model']);
    },
  },
  {
    name: 'create',
    means: 'a whole answer: its text, its end, its usage',
    async run({ calls, path, begin }) {
      const run = begin(answers({ content: RIVERS }));
      expectAnswer(await calls.create({ prompt: `${ASKED} ${run.tag}` }), path);
    },
  },
  {
    name: 'stream',
    means: 'a streamed answer: exactly its text, its end once, its usage once',
    async run({ calls, path, begin }) {
      const run = begin(answers({ content: RIVERS }));
      let pieces = 0;
      const onPiece = () => {
        pieces += 1;
      };
      expectAnswer(await calls.stream({ prompt: `${ASKED} ${run.tag}`, onPiece }), path);
      expect(pieces).toBeGreaterThan(0);
    },
  },
  {
    name: 'tools',
    means: 'a call of a tool and its result, whole and streamed',
    lacks: ({ tools }) => without(tools),
    async run(stage) {
      for (const streamed of [false, true]) await useTools(stage, ['Lagos'], streamed);
    },
  },
  {
    name: 'parallel tools',
    means: 'two calls in one answer, whole and streamed',
    lacks: ({ tools }) => without(tools),
    async run(stage) {
      for (const streamed of [false, true]) await useTools(stage, ['Lagos', 'Accra'], streamed);
    },
  },
  {
    name: 'structured',
    means: 'structured output in the client’s own way, parsed',
    lacks: ({ structured }) => without(structured),
    async run({ calls, begin }) {
      const rivers = { rivers: ['Niger', 'Nile', 'Congo'] };
      const text = JSON.stringify(rivers);
      const run = begin(
        answers(({ json: { tools } }) =>
          // Some clients ask for a tool call and take its arguments.
          tools
            ? { toolCalls: [{ id: 'call_1', name: tools[0].function.name as string, arguments: text }] }
            : { content: text },
        ),
      );
      expect(await able(calls.structured)({ prompt: `${ASKED} ${run.tag}` })).toEqual(rivers);
      const asked = run.calls.some(({ body }) => /"(response_format|tool_choice)":/.test(body));
      expect(asked, 'the shape reached the upstream').toBe(true);
    },
  },
  {
    name: 'images',
    means: 'a picture reaches the model',
    lacks: ({ image }) => without(image),
    async run({ calls, path, begin }) {
      const run = begin(answers({ content: RIVERS }));
      expectAnswer(await able(calls.image)({ prompt: `${ASKED} ${run.tag}` }, PICTURE), path);
      const working = run.calls[path === '/v2 cycle' ? 1 : 0]!;
      expect(working.body).toContain(PICTURE.slice(PICTURE.indexOf(',') + 1));
    },
  },
  {
    name: 'embeddings',
    means: 'embeddings of two texts, as numbers',
    lacks: ({ embed }) => without(embed),
    async run({ calls, begin }) {
      const vectors = [
        [0.25, -0.5, 1],
        [1, 0, 0.125],
      ];
      const run = begin((res, call) => {
        const inBase64 = call.json.encoding_format === 'base64';
        const data = vectors.map((vector, index) => ({
          object: 'embedding',
          index,
          embedding: inBase64 ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector,
        }));
        const usage = { prompt_tokens: 4, total_tokens: 4 };
        return json({ object: 'list', model: 'e', data, usage })(res, call);
      });
      const found = await able(calls.embed)([`one ${run.tag}`, `two ${run.tag}`]);
      expect(found.map((vector) => [...vector])).toEqual(vectors);
    },
  },
  {
    name: 'reasoning',
    means: 'the model’s thoughts are shown as such; in a cycle the agents’ narration',
    lacks: ({ reasoning }) => without(reasoning),
    async run({ calls, path, begin }) {
      for (const ask of [calls.create, calls.stream]) {
        const run = begin(answers({ content: RIVERS, reasoning: 'Large ones.' }));
        const { text, reasoning } = await ask({ prompt: `${ASKED} ${run.tag}` });
        expect(text).toBe(RIVERS);
        expect(reasoning).toBe(path === '/v2 cycle' ? narrationOf(RIVERS) : 'Large ones.');
      }
    },
  },
  {
    name: 'own fields',
    means: '`covenant: {mode, narration}` in the body is obeyed, and does not reach the model',
    lacks: ({ fields }, path) => (path === '/v1' ? 'they mean nothing to the plain proxy' : without(fields)),
    async run({ calls, begin }) {
      for (const ask of [calls.create, calls.stream]) {
        const run = begin(answers({ content: RIVERS }));
        const fields = { covenant: { mode: 'cycle', narration: 'full' } };
        const reply = await ask({ prompt: `${ASKED} ${run.tag}`, fields });
        expectAnswer(reply, '/v2 cycle');
        if (without(calls.reasoning) === undefined) expect(reply.reasoning).toBe(narrationOf(RIVERS));
        expect(run.calls).toHaveLength(3);
        for (const { json: body } of run.calls) expect(body).not.toHaveProperty('covenant');
      }
    },
  },
  {
    name: 'responses',
    means: 'an answer of the Responses API, whole and streamed',
    lacks: ({ responses }, path) =>
      without(responses) ?? (path === '/v1' ? undefined : '`/responses` is under `/v1` only'),
    async run({ calls, path, begin }) {
      for (const streamed of [false, true]) {
        const run = begin(responds(RIVERS));
        const { text, totalTokens } = await able(calls.responses)(
          { prompt: `${ASKED} ${run.tag}` },
          streamed,
        );
        expectAnswer({ text, totalTokens }, path);
        expect(run.calls).toHaveLength(1);
        expect(run.calls[0]).toMatchObject({ path: '/responses' });
        expect(run.calls[0]?.json.stream ?? false).toBe(streamed);
      }
    },
  },
  {
    name: 'error',
    means: 'a refusal is an error with the upstream’s status and words',
    async run({ calls, path, begin }) {
      const told = { message: 'This model does not exist.', code: 'model_not_found', param: 'model' };
      for (const ask of [calls.create, calls.stream]) {
        const run = begin(failure(404, told));
        const failed = ask({ prompt: `${ASKED} ${run.tag}` });
        // The stream of a cycle has begun by then: its status is told.
        const begun = path === '/v2 cycle' && ask === calls.stream;
        await expectFailure(failed, told.message, ...(begun ? [] : ['404']));
        expect(run.calls).toHaveLength(1);
      }
    },
  },
  {
    name: 'wait',
    means: 'a 429 with `retry-after` is waited out',
    lacks: ({ retries }, path) => (path === '/v2 cycle' ? undefined : without(retries)),
    async run({ calls, path, begin }) {
      const answer = answers({ content: RIVERS });
      const refusal = failure(429, { message: 'Slow down.' }, { 'retry-after': '0', 'retry-after-ms': '1' });
      const run = begin((res, call) => (run.calls.length === 1 ? refusal : answer)(res, call));
      const { text } = await calls.create({ prompt: `${ASKED} ${run.tag}` });
      expect(text).toBe(RIVERS);
      expect(run.calls).toHaveLength(path === '/v2 cycle' ? 4 : 2);
    },
  },
  ...ABORTS,
  ...BREAKS,
];
