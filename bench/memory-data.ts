/** Made-up speech with the statistics of real speech: half of it function words, the rest words that follow Zipf. */
import { newId } from '../src/base/ids.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import type { NewTurn } from '../src/store/records.ts';
import { analyse } from '../src/text/analyse.ts';
import { STOP_WORDS } from '../src/text/stop-words.ts';

const VOCABULARY = 20_000;
const WORDS_PER_TURN = 24;
const TURNS_PER_CONVERSATION = 50;
const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo za bra cle dri sto'.split(' ');
const STOPS = [...STOP_WORDS];

/** A small generator of equally likely numbers from 0 to 1, the same in each run (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The nth commonest word of the vocabulary. */
function word(rank: number): string {
  let name = '';
  for (let rest = rank + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    name += SYLLABLES[rest % SYLLABLES.length];
  }
  return name;
}

/**
 * Zipf's law as Mandelbrot corrected it: the frequency falls with rank + 15, which puts the commonest telling word into
 * about every tenth turn, as in LoCoMo's conversations.
 */
const OFFSET = 15;
const zipfWord = (random: () => number) =>
  word(Math.floor(OFFSET * ((VOCABULARY + OFFSET) / OFFSET) ** random() - OFFSET));

export function sentence(random: () => number): string {
  return Array.from({ length: WORDS_PER_TURN }, (_, i) =>
    i % 2 === 0 ? STOPS[Math.floor(random() * STOPS.length)] : zipfWord(random),
  ).join(' ');
}

/** Five telling words, one of them usually common: what a question of one sentence comes down to. */
export function question(random: () => number): string {
  return `What did Ana say about the ${Array.from({ length: 5 }, () => zipfWord(random)).join(' ')}?`;
}

export function someTurn(random: () => number, timestamp: number): NewTurn {
  const content = sentence(random);
  return {
    turnId: newId('turn'),
    agent: 'wykeve',
    kind: 'message',
    content,
    speaker: random() < 0.5 ? 'Ana' : 'Ben',
    timestamp,
    cycleId: null,
    metadata: {},
    terms: analyse(content),
  };
}

const DAY_MS = 86_400_000;
const BEGINNING = Date.UTC(2024, 0, 1);

/** A session of so many turns, in conversations of fifty, one a day. Returns its id. */
export async function storeSession(dal: MemoryDAL, turnCount: number, seed: number): Promise<string> {
  const random = generator(seed);
  const sessionId = newId('sess');
  const now = BEGINNING;
  await dal.sessions.create({
    sessionId,
    tokenHash: sessionId,
    userPreferences: {},
    initialContext: null,
    now,
  });
  const writes: Promise<unknown>[] = [];
  for (let stored = 0, day = 0; stored < turnCount; stored += TURNS_PER_CONVERSATION, day += 1) {
    const length = Math.min(TURNS_PER_CONVERSATION, turnCount - stored);
    const turns = Array.from({ length }, (_, i) => someTurn(random, BEGINNING + day * DAY_MS + i * 60_000));
    writes.push(
      dal.conversations.create({
        sessionId,
        conversationId: newId('conv'),
        directive: '',
        turns,
        jobs: [],
        now,
      }),
    );
    if (writes.length === 20) await Promise.all(writes.splice(0));
  }
  await Promise.all(writes);
  return sessionId;
}
