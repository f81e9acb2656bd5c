import { describe, expect, it } from 'vitest';
import { runChecks, type CheckContext } from '../../src/covenant/checks/run-checks.ts';

const check = (text: string, context: Partial<CheckContext> = {}) =>
  runChecks({ text, finishReason: 'stop' }, { request: { model: 'm', messages: [] }, ...context });
/** Names of the checks that were not passed, with a question mark when they are only told. */
const failed = (...args: Parameters<typeof check>) =>
  check(...args)
    .filter(({ passed }) => !passed)
    .map(({ name, required }) => (required === false ? `${name}?` : name));
const words = (count: number) => Array.from({ length: count }, () => 'river').join(' ');
const list = (count: number) =>
  Array.from({ length: count }, (_, at) => `${String(at + 1)}. river`).join('\n');

describe('the length that a directive asks for', () => {
  it.each([
    ['Summarise this in at most 100 words.', words(100), []],
    ['Summarise this in at most 100 words.', words(130), ['asked_length']],
    ['Explain it in no more than two sentences.', 'One. Two.', []],
    ['Explain it in no more than two sentences.', 'One. Two. Three.', ['asked_length']],
    ['Give me three points.', list(2), []],
    ['Answer in three points.', list(3), []],
    ['Answer in three points.', list(4), ['asked_length']],
    ['List exactly 5 items', list(4), ['asked_length']],
    ['Write at least 50 words about rivers.', words(20), ['asked_length']],
    ['Write about 100 words.', words(120), []],
    ['Write about 100 words.', words(200), ['asked_length']],
    ['Write a one-sentence answer.', 'One. Two.', ['asked_length']],
    ['Reply in under 200 characters.', 'x'.repeat(260), ['asked_length']],
    ['Write two paragraphs or less, 2 paragraphs at most.', 'a\n\nb\n\nc', ['asked_length']],
  ])('%s', (directive, text, names) => {
    expect(failed(text, { directive })).toEqual(names);
  });

  it('quotes what was asked for and says what there is, passed or not', () => {
    const [found] = check(words(7), { directive: 'Answer in at most ten words.' }).filter(
      ({ name }) => name === 'asked_length',
    );
    expect(found).toMatchObject({
      passed: true,
      detail: '“at most ten words” is asked for; the draft has 7 words.',
    });
  });

  it('is only told where it may be the length of something else', () => {
    const directive = 'Write a function that shortens a text to at most 5 words.';
    expect(failed(words(40), { directive })).toEqual(['asked_length?']);
  });

  it.each([
    ['What is a 100-metre sprint?'],
    ['Who said it in 1984?'],
    ['Compare these three points of view.'],
    ['How many words are in a sentence?'],
    ['Why do two lines meet at one point at most?'],
  ])('is not made up: %s', (directive) => {
    expect(failed(words(300), { directive }).filter((name) => !name.endsWith('?'))).toEqual([]);
  });

  it('counts items of the outermost list, not code, and nothing where there is no list', () => {
    const directive = 'Answer in two bullet points.';
    expect(failed('- one\n  - inner\n- two\n', { directive })).toEqual([]);
    expect(failed('- one\n- two\n```sh\n- three\n```\n', { directive })).toEqual([]);
    expect(failed('First this. Then that.', { directive })).toEqual([]);
  });

  it('is left to the format where the request fixes one', () => {
    const request = { model: 'm', messages: [], response_format: { type: 'json_object' } };
    expect(failed(`{"a":"${words(50)}"}`, { request, directive: 'Answer in at most ten words.' })).toEqual(
      [],
    );
  });
});

describe('the form that a directive asks for', () => {
  it.each([
    ['Answer as JSON.', '{"a":1}', []],
    ['Answer as JSON.', 'Here:\n```json\n{"a":1}\n```\n', []],
    ['Answer as JSON.', 'The Rhine.', ['asked_json']],
    ['Return the rivers in valid JSON', '{"a":', ['asked_json']],
    ['Explain what a JSON file is.', 'A file.', []],
    ['Give me the rivers as a table.', '| a | b |\n|---|---|\n| 1 | 2 |', []],
    ['Give me the rivers as a table.', 'The Rhine.', ['asked_table?']],
  ])('%s %s', (directive, text, names) => {
    expect(failed(text, { directive })).toEqual(names);
  });
});

describe('code in a draft', () => {
  it.each([
    ['js', 'const a = 1;\nawait b();\nreturn a;', []],
    ['javascript', "import x from 'y';\nexport const a = x?.b ?? 1;", []],
    ['js', 'with (a) { b }', []],
    ['js', 'const a = ;', ['code_block?']],
    ['javascript', 'function f( {', ['code_block?']],
    ['json', '{"a": 1,}', ['code_block?']],
    ['ts', 'const a: = ;', []],
    ['python', 'def f(:', []],
  ])('in %s: %s', (language, code, names) => {
    expect(failed(`So:\n\n\`\`\`${language}\n${code}\n\`\`\`\n`)).toEqual(names);
  });

  it('is named by language and number, with the parser’s own words', () => {
    const text = '```js\nlet a = 1;\n```\n~~~js title="b"\nlet = = 2;\n~~~\n';
    const [found] = check(text).filter(({ name }) => name === 'code_block');
    expect(found?.detail).toMatch(/^JavaScript block 2 does not parse: .*\(1:\d+\)\.$/);
  });
});

describe('what a draft claims to quote', () => {
  const memory = '[2026-05-01 10:00] Ana: I will not fly again — never. See https://a.example/trip, please.';
  const request = {
    model: 'm',
    messages: [{ role: 'user', content: 'My budget is 900 euros, not a cent more.' }],
  };
  const given = { memory, request };

  it.each([
    ['words that are there', 'You said “my budget is 900 euros”.', []],
    ['with other marks and line ends', 'You wrote: "My budget\nis 900 euros - not a cent more".', []],
    ['with something left out', 'You said "My budget … not a cent more".', []],
    ['by name', 'Ana said “I will not fly again”.', []],
    ['put into the person’s mouth', 'As you said, "my budget is 1,200 euros".', ['quotes']],
    ['put into the person’s mouth, plainly', 'You said "my budget is 1,200 euros".', ['quotes']],
    ['put behind it', '“Money is no object”, you said.', ['quotes']],
    ['from somebody the context knows, and other words', 'Ana wrote "I love flying".', ['quotes?']],
    ['from elsewhere', 'Einstein said "God does not play dice".', ['quotes?']],
    ['nobody’s', 'The word "river" is old.', []],
  ])('%s', (_what, text, names) => {
    expect(failed(text, given)).toEqual(names);
  });

  it('says of a name that it is nowhere', () => {
    const [found] = check('Berta said "trains are late".', given).filter(({ name }) => name === 'quotes');
    expect(found?.detail).toBe(
      'The draft quotes Berta with “trains are late”, and Berta is nowhere in the context.',
    );
  });

  it('knows the links of the context, and tells of others', () => {
    expect(failed('Look at https://a.example/trip.', given)).toEqual([]);
    expect(failed('Look at [this](https://a.example/other).', given)).toEqual(['links?']);
    const tools = [{ round: 1, message: { role: 'tool' as const, content: 'https://b.example/x' } }];
    expect(failed('Look at https://b.example/x', { ...given, toolMessages: tools })).toEqual([]);
  });
});

describe('what memory holds against a draft', () => {
  const at = Date.UTC(2026, 4, 1);
  const said = [{ turnId: 'turn_2', speaker: null, text: 'I moved to Lyon last week.', at }];
  const evidence = { said, counters: [] };

  it.each([
    ['You live in Lyon.', []],
    ['You live in Paris.', ['memory']],
    ['Since you’re based in Paris, take the train.', []],
    ['You are based in Paris.', ['memory']],
    ['You used to live in Paris.', []],
    ['If you live in Paris, take the metro.', []],
    ['Anna lives in Paris.', []],
  ])('of what the person said: %s', (text, names) => {
    expect(failed(text, { evidence })).toEqual(names);
  });

  it('quotes both, with the day and the turn', () => {
    const [found] = check('Good news. You live in Paris.', { evidence }).filter(
      ({ name }) => name === 'memory',
    );
    expect(found?.detail).toBe(
      'The draft says “You live in Paris.”; the person said on 2026-05-01: “I moved to Lyon last week.” (turn_2).',
    );
  });

  it('takes a speaker’s word for that speaker', () => {
    const ben = [{ turnId: 't', speaker: 'Ben', text: 'I work at Acme.', at }];
    expect(failed('Ben works at Globex.', { evidence: { said: ben, counters: [] } })).toEqual(['memory']);
    expect(failed('Ana works at Globex.', { evidence: { said: ben, counters: [] } })).toEqual([]);
  });

  it('knows what is kept as a fact, of the person and of others', () => {
    const fact = (turnId: string, text: string) => ({ turnId, speaker: null, text, at, isFact: true });
    const facts = [fact('fact_1', 'The person lives in Lyon.'), fact('fact_2', 'Ben works at Acme.')];
    const known = { evidence: { said: facts, counters: [] } };
    expect(failed('You live in Lyon, and Ben works at Acme.', known)).toEqual([]);
    expect(failed('Ben works at Globex.', known)).toEqual(['memory']);
    const [found] = check('You live in Paris.', known).filter(({ name }) => name === 'memory');
    expect(found?.detail).toBe(
      'The draft says “You live in Paris.”; memory holds since 2026-05-01: “The person lives in Lyon.” (fact_1).',
    );
  });

  const counters = [
    {
      relation: 'superseded' as const,
      against: { text: 'The team chose PostgreSQL for the archive', at },
      by: { text: 'The archive was moved to SQLite', at: at + 86_400_000 },
    },
  ];
  it.each([
    ['The team chose PostgreSQL for the archive, so back it up daily.', ['causes?']],
    ['The team chose PostgreSQL for the archive, but it was replaced.', []],
    ['The team chose PostgreSQL for the archive; later it was moved to SQLite.', []],
    ['The archive is in SQLite.', []],
  ])('of what was superseded: %s', (text, names) => {
    expect(failed(text, { evidence: { said: [], counters } })).toEqual(names);
  });

  it('says what took its place, and when', () => {
    const [found] = check('The team chose PostgreSQL for the archive.', {
      evidence: { said: [], counters },
    }).filter(({ name }) => name === 'causes');
    expect(found?.detail).toContain(
      'memory knows what took its place: “The archive was moved to SQLite” (2026-05-02).',
    );
  });
});
