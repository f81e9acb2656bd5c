import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newConversation, newSession, newTurn, NOON } from '../../store/implementations.ts';
import { openTold, type Said, type Told } from './support.ts';

const DAY = 86_400_000;
/** Talk that holds none of the words that the tests ask for. */
const SMALL_TALK: Said[][] = Array.from({ length: 6 }, (_, i) => [
  `Nice weather today, number ${String(i)}.`,
  'Indeed, lovely sunshine all morning.',
  'Let us walk by the river later.',
]);

describe('finding the turns that bear on a question', () => {
  let told: Told;
  beforeAll(async () => {
    told = await openTold();
  });
  afterAll(() => told.close());

  it('finds what must not be cooked for Ana', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      ['My sister Ana is allergic to peanuts', 'I will remember.'],
    ]);
    const [first] = await told.ask(sessionId, 'what should I not cook for Ana?');
    expect(first).toBe('My sister Ana is allergic to peanuts');
  });

  it('finds the validation of e-mail addresses when phone numbers are to be validated', async () => {
    const email = 'Write a function that validates an e-mail address.';
    const sessionId = await told.tell([...SMALL_TALK, [email, 'const ok = /@/.test(address);']]);
    expect((await told.ask(sessionId, 'Now validate phone numbers.'))[0]).toBe(email);
  });

  it('finds nothing where none of the words was ever said, or none was asked for', async () => {
    const sessionId = await told.tell(SMALL_TALK);
    expect(await told.ask(sessionId, 'quantum chromodynamics')).toEqual([]);
    expect(await told.ask(sessionId, 'what is it about?')).toEqual([]);
    expect(await told.ask(sessionId, '')).toEqual([]);
    expect(await told.ask('sess_unknown', 'weather')).toEqual([]);
  });

  it('finds the answer beside the question, though it shares no word with it', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      ['Which instrument did you pick up as a teenager?', 'The cello, from my uncle.', 'How lovely.'],
    ]);
    const found = await told.ask(sessionId, 'instrument teenager');
    expect(found.slice(0, 2)).toContain('The cello, from my uncle.');
  });

  it('prefers a turn whose conversation speaks of the matter as a whole', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      ['Look at this tent.', 'a', 'b', 'c', 'Here it stands.'],
      ['Camping again!', 'a', 'b', 'c', 'Look at this tent.'],
    ]);
    const [first] = await told.retriever.retrieve({ sessionId, query: 'camping tent', limit: 9, now: NOON });
    expect(first?.conversationOrdinal).toBe(SMALL_TALK.length + 2);
    expect(first?.parts.conversation).toBeGreaterThan(0);
  });

  it('favours the speaker who is named, and neither when both are', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      [
        { text: 'I adopted a puppy last spring', speaker: 'Caroline' },
        ...['x', 'y', 'z', 'w'].map((text) => ({ text, speaker: 'Caroline' })),
        { text: 'I adopted a puppy last winter', speaker: 'Melanie' },
      ],
    ]);
    expect((await told.ask(sessionId, 'When did Melanie adopt a puppy?'))[0]).toContain('winter');
    expect((await told.ask(sessionId, 'When did Mel adopt a puppy?'))[0]).toContain('winter');
    expect((await told.ask(sessionId, 'When did Caroline adopt a puppy?'))[0]).toContain('spring');
    const both = await told.retriever.retrieve({
      sessionId,
      query: 'Did Caroline and Melanie adopt a puppy?',
      limit: 2,
      now: NOON,
    });
    expect(both.map(({ parts }) => parts.speaker)).toEqual([0, 0]);
  });

  it('meets the dates of a question', async () => {
    const trip = (place: string, at: number) => [{ text: `We made a trip to ${place}`, at }];
    const sessionId = await told.tell([
      trip('Lyon', Date.UTC(2026, 2, 10)),
      trip('Porto', Date.UTC(2026, 3, 20)),
      trip('Turin', Date.UTC(2026, 4, 1)),
      ...SMALL_TALK,
    ]);
    const now = Date.UTC(2026, 4, 8);
    expect((await told.ask(sessionId, 'Where was the trip in March?', { now }))[0]).toContain('Lyon');
    expect((await told.ask(sessionId, 'Where was the trip on 20 April 2026?', { now }))[0]).toContain(
      'Porto',
    );
    expect((await told.ask(sessionId, 'Where was the trip last week?', { now }))[0]).toContain('Turin');
  });

  it('knows common things of a kind that the question names', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      ['We just got a kitten', 'Sweet!'],
      ['In June we flew to Portugal'],
    ]);
    expect((await told.ask(sessionId, 'Which pets have I?'))[0]).toBe('We just got a kitten');
    expect((await told.ask(sessionId, 'What countries have I been to?'))[0]).toContain('Portugal');
  });

  it('keeps to a range of time', async () => {
    const sessionId = await told.tell([
      [{ text: 'kayak one', at: NOON }],
      [{ text: 'kayak two', at: NOON + DAY }],
      [{ text: 'kayak three', at: NOON + 2 * DAY }],
    ]);
    const inRange = (timeRange: { from?: number; to?: number }) =>
      told.ask(sessionId, 'kayak', { timeRange });
    expect(await inRange({ from: NOON + DAY, to: NOON + DAY })).toEqual(['kayak two']);
    expect((await inRange({ from: NOON + DAY })).sort()).toEqual(['kayak three', 'kayak two']);
    expect(await inRange({ to: NOON - 1 })).toEqual([]);
  });

  it('says what a score was made of: the parts add up to it', async () => {
    const sessionId = await told.tell([
      ...SMALL_TALK,
      [
        { text: 'In April I ran two marathons', speaker: 'Ben', at: Date.UTC(2026, 3, 30) },
        'Was the marathon hard?',
      ],
    ]);
    const query = 'How many marathons did Ben run in April 2026?';
    const found = await told.retriever.retrieve({ sessionId, query, limit: 5, now: NOON });
    expect(found.length).toBeGreaterThan(1);
    for (const { score, parts } of found) {
      const sum = Object.values(parts).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(score, 9);
    }
    const best = found[0]!.parts;
    for (const part of [best.bm25, best.speaker, best.date, best.kind]) expect(part).toBeGreaterThan(0);
  });

  it('gives the same order each time, and equal scores in the order in which they were said', async () => {
    const sessionId = await told.tell([['heron'], ['heron'], ['heron'], ['stork']]);
    const ask = () => told.retriever.retrieve({ sessionId, query: 'heron', limit: 10, now: NOON });
    const first = await ask();
    expect(first.map(({ conversationOrdinal }) => conversationOrdinal)).toEqual([1, 2, 3]);
    expect(await ask()).toEqual(first);
    const two = await told.retriever.retrieve({ sessionId, query: 'heron', limit: 2, now: NOON });
    expect(two).toEqual(first.slice(0, 2));
  });

  it('does not change when other sessions grow', async () => {
    const conversations = [...SMALL_TALK, ['The lighthouse keeper paints boats', 'Boats at the lighthouse']];
    const sessionId = await told.tell(conversations);
    const ask = (id: string) =>
      told.retriever.retrieve({ sessionId: id, query: 'lighthouse boats', limit: 9, now: NOON });
    const before = await ask(sessionId);
    for (let i = 0; i < 5; i += 1)
      await told.tell([['lighthouse boats', 'boats boats boats'], ['lighthouse']]);
    expect(await ask(sessionId)).toEqual(before);
    const equal = await told.tell(conversations);
    expect(await ask(equal)).toEqual(before);
  });
});

describe('the index', () => {
  it('is written in the transaction of its turn, and goes with its session', async () => {
    const { dal, close } = await openTold();
    try {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      const terms = (word: string) => ({ terms: [[word, 300]] as [string, number][], length: 7, traits: 5 });
      const append = (...turns: ReturnType<typeof newTurn>[]) =>
        dal.turns.append({ sessionId, conversationId, turns, jobs: [], now: NOON });
      await append(newTurn('x', { terms: terms('kept'), speaker: 'Ana', timestamp: -60_000 }));

      // The second of these two repeats an id, which fails the whole append after its first turn was indexed.
      const twice = newTurn('y', { terms: terms('lost') });
      await expect(append(twice, { ...twice })).rejects.toThrow();
      expect((await dal.index.lookup(sessionId, ['lost'])).terms).toEqual([]);

      const found = await dal.index.lookup(sessionId, ['nowhere', 'kept']);
      expect(found).toEqual({
        conversations: Int32Array.of(1),
        starts: Int32Array.of(0),
        minutes: Int32Array.of(-1),
        lengths: Int32Array.of(7),
        speakers: Uint16Array.of(0),
        traits: Uint16Array.of(5),
        speakerNames: ['Ana'],
        terms: [{ term: 'kept', places: Int32Array.of(0), counts: Int32Array.of(255) }],
      });
      await dal.sessions.erase(sessionId);
      expect((await dal.index.lookup(sessionId, ['kept'])).minutes).toHaveLength(0);
    } finally {
      await close();
    }
  });

  it('numbers the turns through, across blocks and conversations', async () => {
    const { dal, tell, close } = await openTold();
    try {
      const long = Array.from({ length: 150 }, (_, i) => (i % 50 === 0 ? 'marker' : 'filler'));
      const sessionId = await tell([long, ['filler'], long]);
      const before = await dal.index.lookup(sessionId, ['marker']);
      expect([...before.starts]).toEqual([0, 150, 151]);
      expect(before.minutes).toHaveLength(301);
      expect([...before.terms[0]!.places]).toEqual([0, 50, 100, 151, 201, 251]);

      const { conversationId } = (
        await dal.turns.byPosition(sessionId, [{ conversationOrdinal: 1, turnNumber: 1 }])
      )[0]!;
      const late = newTurn('marker', { terms: { terms: [['marker', 1]], length: 1 } });
      await dal.turns.append({ sessionId, conversationId, turns: [late], jobs: [], now: NOON });
      const after = await dal.index.lookup(sessionId, ['marker']);
      expect([...after.terms[0]!.places]).toEqual([0, 50, 100, 150, 152, 202, 252]);
    } finally {
      await close();
    }
  });
});
