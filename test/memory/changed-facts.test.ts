import { describe, expect, it } from 'vitest';
import { claimsOf } from '../../src/memory/context/claims.ts';
import type { TurnInput } from '../../src/memory/memory-service.ts';
import { asking, newSession, openMemory, told } from './support.ts';

const day = (text: string) => Date.parse(`${text}T12:00:00Z`);
const said = (content: string, date: string, speaker: string | null = null): TurnInput => ({
  agent: 'wykeve',
  content,
  speaker,
  timestamp: day(date),
});

async function asked(turns: TurnInput[], question: string) {
  const { memory } = await openMemory();
  const sessionId = await newSession(memory);
  for (const turn of turns) await told(memory, sessionId, 'Talk', [turn]);
  const context = await memory.buildContext(asking(sessionId, question));
  const standing = new Map(context.relevantTurns.map((item) => [item.turn.content, item]));
  return { context, standing };
}

describe('a fact that has changed', () => {
  it('is shown as superseded, behind what took its place, though the two share no word', async () => {
    const { context, standing } = await asked(
      [said('I live in Paris.', '2024-01-10'), said('I moved to Lyon last week!', '2024-05-02')],
      'Where do I live?',
    );
    const [old, now] = [standing.get('I live in Paris.'), standing.get('I moved to Lyon last week!')];
    expect(old?.superseded).toEqual({ byTurnId: now?.turn.turnId, at: day('2024-05-02') });
    expect(now?.superseded).toBeUndefined();
    expect(now?.score).toBeGreaterThan(old?.score ?? 1);
    expect(context.prompt).toContain(
      '[2024-01-10 12:00, superseded 2024-05-02] the person: I live in Paris.',
    );
    expect(context.prompt).toContain('[2024-05-02 12:00] the person: I moved to Lyon last week!');
  });

  it('is decided by when it was said, not by when it was stored', async () => {
    const { standing } = await asked(
      [said('I moved to Lyon.', '2024-05-02'), said('I live in Paris.', '2024-01-10')],
      'Where do I live?',
    );
    expect(standing.get('I live in Paris.')?.superseded).toBeDefined();
    expect(standing.get('I moved to Lyon.')?.superseded).toBeUndefined();
  });

  it('keeps the newer word when there is room for one turn', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Talk', [
      said('My phone number is 555 0199.', '2024-01-10'),
      said('By the way, my phone number is now 555 0234.', '2024-05-02'),
    ]);
    const { relevantTurns } = await memory.buildContext(
      asking(sessionId, 'What is my phone number?', { maxTurns: 1 }),
    );
    expect(relevantTurns.map(({ turn }) => turn.content)).toEqual([
      'By the way, my phone number is now 555 0234.',
    ]);
  });

  it('ends without a new one when the person says that it holds no more', async () => {
    const { standing } = await asked(
      [said('I work at Initech.', '2024-01-10'), said('I no longer work at Initech.', '2024-03-01')],
      'Do I work at Initech?',
    );
    expect(standing.get('I work at Initech.')?.superseded).toBeDefined();
  });

  it.each([
    [
      'somebody else',
      [said('I live in Paris.', '2024-01-10', 'Ana'), said('I live in Lyon.', '2024-05-02', 'Tom')],
    ],
    [
      'the same again',
      [said('I live in Lyon, France.', '2024-01-10'), said('I live in Lyon.', '2024-05-02')],
    ],
    [
      'a plan',
      [
        said('I live in Paris.', '2024-01-10'),
        said('I want to move: maybe I moved to Lyon in my dream.', '2024-05-02'),
      ],
    ],
    ['a question', [said('I live in Paris.', '2024-01-10'), said('I live in Lyon?', '2024-05-02')]],
    [
      'an agent',
      [
        said('I live in Paris.', '2024-01-10'),
        { ...said('I live in Lyon.', '2024-05-02'), agent: 'codey' as const },
      ],
    ],
    [
      'a thing one has many of',
      [said('My friend is Ana.', '2024-01-10'), said('My friend is Tom.', '2024-05-02')],
    ],
  ])('is not supposed of %s', async (_name, turns) => {
    const { standing } = await asked(turns, 'Where do I live, and who is my friend?');
    expect([...standing.values()].filter(({ superseded }) => superseded)).toEqual([]);
  });
});

describe('what a turn claims', () => {
  const claims = (content: string, speaker: string | null = null) =>
    claimsOf({ agent: 'wykeve', speaker, content }).map(
      ({ subject, about, value, holds }) => `${subject} ${about}${holds ? '' : ' not'}: ${value}`,
    );
  it.each([
    ["I've just moved from Paris to Lyon, and it rains.", ['the person home: lyon']],
    ['Hi! We live in the United States of America now.', ['the person home: united states of america']],
    ['Ana moved to Rio de Janeiro.', ['ana home: rio de janeiro']],
    ["I don't live in Paris anymore.", ['the person home not: paris']],
    [
      "I'm working at Acme Corp. now, but my boss is Bob.",
      ['the person work: acme corp', 'the person boss: bob'],
    ],
    ['My new e-mail address is ana@example.org.', ['the person email: ana@example.org']],
    ['My favourite colour is green', ['the person favorite colour: green']],
    ['She moved to Lyon.', []],
    ['I used to live in Paris.', []],
    ['If I lived in Paris, I would walk.', []],
    ['I lived in Paris when I was ten.', []],
    ['I moved to the back of the bus.', []],
  ])('%s', (text, expected) => {
    expect(claims(text)).toEqual(expected);
  });
  it('is by its speaker', () => {
    expect(claims('I live in Lyon.', 'Ana')).toEqual(['ana home: lyon']);
  });
});
