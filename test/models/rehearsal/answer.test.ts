import { describe, expect, it } from 'vitest';
import { amountOf } from '../../../src/models/rehearsal/rules.ts';
import { ask, MEMORY, never, provider, say } from './support.ts';

describe('an answer of the rehearsal', () => {
  it('quotes what bears on the question, with who said it and when', async () => {
    expect(await ask('What is Ana allergic to?')).toContain(
      'On 2026-11-01 you said: “My sister Ana is allergic to peanuts.”',
    );
  });

  it('follows its prompt: another memory gives another answer', async () => {
    const other = MEMORY.replace('peanuts.\n[', 'shellfish.\n[').replace('peanuts.”', 'shellfish.”');
    const text = await ask('What is Ana allergic to?', other);
    expect(text).toContain('shellfish');
    expect(text).not.toContain('peanuts');
  });

  it('takes what follows a question as its answer, over several lines', async () => {
    expect(await ask('What did Ana cook on Friday?')).toBe(
      'On 2026-11-02 you said: “A risotto with mushrooms, and far too much pepper.”',
    );
  });

  it.each([
    ['nothing bears on the question', 'What is the capital of France?', MEMORY],
    ['there is no memory', 'What is Ana allergic to?', null],
  ])('says plainly that it finds nothing when %s, and what it is', async (_when, question, memory) => {
    const text = await ask(question, memory);
    expect(text).toMatch(/^I find nothing in what I was given that bears on “/);
    expect(text).toContain('ccc-rehearsal');
    expect(text).not.toContain('peanuts');
  });

  it('does not take the state of the agents or the titles of conversations for things said', async () => {
    const text = await ask('Who is strict? Tell me about nuts and food.');
    expect(text).not.toContain('strict is');
    expect(text).not.toContain('“food”');
    expect(text).not.toContain('Ana is strict');
  });

  it('does not repeat itself: its own echo of a thing said is not quoted beside it', async () => {
    expect((await ask('What is Ana allergic to?')).match(/peanuts/g)).toHaveLength(1);
  });

  it('answers from the conversation, from tools, and from what the question itself tells', async () => {
    const text = await say([
      { role: 'user', content: 'The blue key opens the shed.' },
      { role: 'assistant', content: 'Noted: “The blue key opens the shed.”' },
      { role: 'user', content: 'What opens the shed?' },
    ]);
    expect(text).toBe('Earlier you said: “The blue key opens the shed.”');
    const weather = await say([
      { role: 'user', content: 'How warm is Lyon?' },
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', tool_call_id: 'c1', content: 'Lyon: 21 degrees' },
    ]);
    expect(weather).toBe('The tool answered: “Lyon: 21 degrees”');
    expect(await ask('My cat is called Basalt. What is my cat called?', null)).toBe(
      'You say: “My cat is called Basalt.”',
    );
  });

  it('takes note of what is only told', async () => {
    expect(await ask('My cat is called Basalt.', null)).toBe('Noted: “My cat is called Basalt.”');
  });

  it('gives back words when it is asked to', async () => {
    expect(await ask('Say exactly: "all is well"', null)).toBe('all is well');
  });

  it('reads the text of content parts', async () => {
    const content = [
      { type: 'text', text: 'What is Ana allergic to?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    ];
    expect(
      await say([
        { role: 'system', content: MEMORY },
        { role: 'user', content },
      ]),
    ).toContain('peanuts');
  });

  it('does not quote an earlier request as something told', async () => {
    const memory = MEMORY.replace(
      '</memory>',
      '[2026-11-03 10:00] the person: Give me three points about Ana.\n</memory>',
    );
    expect(await ask('List what you know about Ana.', memory)).not.toContain('three points');
  });

  it('does not take a question that is followed by a picture for an answer', async () => {
    const memory = MEMORY.replace('on Friday?', 'on Friday? [photo: a pan]');
    expect(await ask('What did Ana cook on Friday?', memory)).toBe(
      'On 2026-11-02 you said: “A risotto with mushrooms, and far too much pepper.”',
    );
  });

  it.each(['-', '“', '[', 'Ana is here. ', 'three points at most 3 ', '[2026-11-01 10:00] Ana: hi\n'])(
    'takes no more than moments for 200 kB of %j',
    async (unit) => {
      const text = unit.repeat(200_000 / unit.length);
      const started = performance.now();
      await ask(`${text} What about Ana?`);
      await ask('What about Ana?', MEMORY.replace('They like', `${text}\nThey like`));
      // A quadratic step would take tens of seconds; what is there takes a tenth of one.
      expect(performance.now() - started).toBeLessThan(5_000);
    },
  );

  it('is the same for the same prompt', async () => {
    const [one, two] = await Promise.all([ask('Tell me about Ana.'), ask('Tell me about Ana.')]);
    expect(one).toBe(two);
  });
});

describe('what is asked for by number, length and form', () => {
  it('is given as so many points', async () => {
    const text = await ask('Give me three points about Ana.');
    expect(text.split('\n').map((line) => line.slice(0, 2))).toEqual(['1.', '2.', '3.']);
  });

  it('is said to be too much when the prompt does not hold so many', async () => {
    const text = await ask('List nine facts about Ana.');
    const given = text.match(/^\d+\./gm)?.length ?? 0;
    expect(given).toBeGreaterThan(2);
    expect(given).toBeLessThan(9);
    expect(text).toContain(`I find only ${String(given)} of the 9 facts`);
  });

  it.each([
    [60, 'words'],
    [12, 'words'],
    [3, 'words'],
    [1, 'sentences'],
    [2, 'lines'],
  ] as const)('keeps to at most %i %s', async (limit, unit) => {
    const text = await ask(`Tell me about Ana in at most ${String(limit)} ${unit}.`);
    expect(amountOf(unit, text)).toBeLessThanOrEqual(limit);
    expect(text).not.toBe('');
  });

  it('says that the limit, not the memory, is why there is less', async () => {
    expect(await ask('Give me five points about Ana in at most 40 words.')).toMatch(
      /Within the limit there is room for only \d of the 5 points\.$/,
    );
  });

  it('comes as JSON, as a list or as a table', async () => {
    const json = JSON.parse(await ask('List what you know about Ana as JSON.')) as { quotes: string[] };
    expect(json.quotes.join()).toContain('peanuts');
    expect(await ask('What about Ana? Answer as a bulleted list.')).toMatch(/^(?:- .+\n?)+$/);
    expect(await ask('What about Ana? Answer as a table.')).toMatch(/^\| What was said \|\n\| --- \|\n\| /);
  });
});

describe('response_format', () => {
  it('json_object gives an object', async () => {
    const text = await ask('What is Ana allergic to?', MEMORY, { response_format: { type: 'json_object' } });
    expect((JSON.parse(text) as { answer: string }).answer).toContain('peanuts');
  });

  it('json_schema gives a value of that shape, with the answer in it and nothing made up', async () => {
    const schema = {
      type: 'object',
      properties: {
        kind: { enum: ['fact', 'guess'] },
        text: { type: 'string' },
        note: { type: ['string', 'null'] },
        score: { type: 'number', minimum: 1 },
        list: { type: 'array', items: { type: 'string' } },
        inner: { $ref: '#/$defs/inner' },
      },
      $defs: {
        inner: { type: 'object', properties: { sure: { type: 'boolean' }, next: { $ref: '#/$defs/inner' } } },
      },
    };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    const value = JSON.parse(
      await ask('What is Ana allergic to?', MEMORY, { response_format: format }),
    ) as Record<string, unknown>;
    expect(value).toMatchObject({ kind: 'fact', note: null, score: 1, list: [], inner: { sure: false } });
    expect(value['text']).toContain('peanuts');
  });

  it('a role that it has not learnt finds nothing, in the shape asked for', async () => {
    const schema = { type: 'object', properties: { facts: { type: 'array', items: { type: 'object' } } } };
    const text = await say(
      [
        { role: 'system', content: 'CCC-Role: facts\n\nExtract facts.' },
        { role: 'user', content: '<turns>\n[2026-11-01 10:00] the person: I moved to Lyon.\n</turns>' },
      ],
      { response_format: { type: 'json_schema', json_schema: { name: 'facts', schema } } },
    );
    expect(JSON.parse(text)).toEqual({ facts: [] });
  });
});

describe('a call', () => {
  it('says who answered and counts its tokens', async () => {
    const { completion, usage, usageEstimated } = await provider.chat(
      { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello' }] },
      { signal: never },
    );
    expect(completion.model).toBe('ccc-rehearsal');
    // "Say hello" is two tokens in cl100k_base, and four stand around a message; "hello" is one.
    expect(usage).toEqual({ prompt_tokens: 6, completion_tokens: 1, total_tokens: 7 });
    expect(usageEstimated).toBe(false);
  });

  it('streams the same text, and stops when told to', async () => {
    const request = { model: 'm', messages: [{ role: 'user', content: 'Say one two three' }] };
    const texts: string[] = [];
    const onChunk = (chunk: { choices: { delta: { content?: string | null } }[] }) =>
      texts.push(chunk.choices[0]?.delta.content ?? '');
    await provider.chat(request, { signal: never, onChunk });
    expect(texts.join('')).toBe('one two three');
    const controller = new AbortController();
    const stopped = provider.chat(request, {
      signal: controller.signal,
      onChunk: () => {
        controller.abort('enough');
      },
    });
    await expect(stopped).rejects.toBe('enough');
  });

  it('that is wrong is refused as OpenAI would refuse it', async () => {
    const refused = provider.chat({ model: 'm', messages: [] }, { signal: never });
    await expect(refused).rejects.toMatchObject({
      status: 400,
      error: { type: 'invalid_request_error', param: 'messages' },
    });
  });
});
