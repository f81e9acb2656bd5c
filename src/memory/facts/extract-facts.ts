import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { JobError } from '../../jobs/job-error.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import type { FactEnding, FactRecord, NewFact } from '../../store/fact-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { TurnRecord } from '../../store/records.ts';
import { analyseQuery } from '../../text/analyse.ts';
import { keysOf, wordsOf } from './fact-words.ts';
import { factsJob } from './jobs.ts';
import type { FactReader, ReadFact } from './reader.ts';

export interface ExtractFactsDeps {
  dal: Pick<MemoryDAL, 'facts' | 'turns'>;
  reader: FactReader;
  clock: Clock;
}

/** Most that is read at a time: turns, and characters of them. */
const MOST_TURNS = 40;
const MOST_CHARACTERS = 12_000;
/** Of one turn so many characters are read: what is longer is a document, not somebody telling of themselves. */
const LONGEST_TURN = 6_000;
/** Facts that the reader is shown, so that it notes them under the same names: those that bear on the turns, and the newest. */
const KNOWN_BY_WORDS = 20;
const KNOWN_NEWEST = 10;
const MOST_QUERY_TERMS = 64;
/** What is said to somebody. The work between a directive and its answer tells nothing of the person. */
const READ_KINDS = new Set<TurnRecord['kind']>(['directive', 'answer', 'message']);

/**
 * Reads what was said in a conversation since it was last read, and notes the facts. What was read, the facts and the
 * next job are stored together: a job that runs twice, or is killed at any moment, notes nothing twice and loses nothing.
 */
export function extractFacts({ dal, reader, clock }: ExtractFactsDeps): JobHandler {
  return async ({ sessionId, payload }, { signal, isLastAttempt }) => {
    const conversationId = String(payload['conversation_id']);
    const from = await dal.facts.progress(sessionId, conversationId);
    const unread = await dal.turns.list({
      sessionId,
      conversationId,
      fromNumber: from + 1,
      limit: MOST_TURNS,
    });
    const turns = portion(unread);
    const last = turns.at(-1);
    if (!last) return;
    const spoken = turns.filter((turn) => READ_KINDS.has(turn.kind) && turn.content.trim() !== '');
    const telling = spoken.some(({ agent }) => agent === 'wykeve');
    const read = telling ? await reader.read(spoken, await knownFacts(dal, sessionId, spoken), signal) : [];
    if (read === null && !isLastAttempt) throw new Error('the reader gave no answer that could be used');
    const now = clock.now();
    const facts = read ?? [];
    const more = unread.length > turns.length || unread.length === MOST_TURNS;
    await dal.facts.add({
      sessionId,
      facts: facts.filter(({ holds }) => holds).map((fact) => newFact(fact, conversationId, reader)),
      endings: facts.filter(({ holds }) => !holds).map(endingOf),
      progress: { conversationId, from, through: last.turnNumber },
      jobs: more ? [{ ...factsJob(conversationId, now), runAt: now }] : [],
      now,
    });
    if (read === null) throw new JobError('turns were passed over: no usable answer', { retryAt: null });
  };
}

/** As many turns as one reading takes, at least one; of each its beginning. */
function portion(turns: TurnRecord[]): TurnRecord[] {
  const taken: TurnRecord[] = [];
  let characters = 0;
  for (const turn of turns) {
    const content = turn.content.slice(0, LONGEST_TURN);
    if (READ_KINDS.has(turn.kind)) characters += content.length;
    if (taken.length > 0 && characters > MOST_CHARACTERS) break;
    taken.push({ ...turn, content });
  }
  return taken;
}

async function knownFacts(
  dal: ExtractFactsDeps['dal'],
  sessionId: string,
  turns: TurnRecord[],
): Promise<FactRecord[]> {
  const terms = analyseQuery(turns.map(({ content }) => content).join('\n')).slice(0, MOST_QUERY_TERMS);
  const [found, newest] = await Promise.all([
    dal.facts.search({ sessionId, terms, limit: KNOWN_BY_WORDS }),
    dal.facts.list({ sessionId, current: true, limit: KNOWN_NEWEST, cursor: null }),
  ]);
  const current = found.map(({ fact }) => fact).filter(({ validUntil }) => validUntil === null);
  return [...new Map([...current, ...newest.items].map((fact) => [fact.factId, fact])).values()];
}

function newFact(fact: ReadFact, conversationId: string, { author }: FactReader): NewFact {
  return {
    factId: newId('fact'),
    ...wordsOf(fact),
    exclusive: fact.exclusive,
    validFrom: fact.turn.timestamp,
    conversationId,
    sourceTurnId: fact.turn.turnId,
    author,
    pinned: false,
  };
}

function endingOf(fact: ReadFact): FactEnding {
  return { ...keysOf(fact), at: fact.turn.timestamp };
}
