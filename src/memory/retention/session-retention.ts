import type { Clock } from '../../base/clock.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { termsOf } from '../../store/packed-terms.ts';
import type { ExpiredTurn, Leftovers } from '../../store/retention-store.ts';
import { breathing } from '../../text/breathing.ts';
import { habitsJob } from '../habits/jobs.ts';
import { termsOfRow } from '../reindex/terms-of-row.ts';
import { summariseJob, summariseSessionJob } from '../summaries/jobs.ts';
import { expiredChains } from './expired-chains.ts';

/** Turns read at a time, and about how many characters. */
const TURNS_AT_ONCE = 50;
const CHARACTERS_AT_ONCE = 200_000;
/** Index entries, events and other rows that are removed in one transaction: some milliseconds of the writer's time. */
const TERMS_AT_ONCE = 100;
const EVENTS_AT_ONCE = 5;
const LEFTOVERS_AT_ONCE = 20;

export interface SessionRetentionDeps {
  dal: Pick<MemoryDAL, 'retention' | 'jobs'>;
  clock: Clock;
  /** Called between two portions: others have their turn. True when the work is to end. */
  pause: () => Promise<boolean>;
}

export interface Removed {
  turns: number;
  events: number;
  others: number;
}

/**
 * Removes what a session does not keep any longer, portion by portion. What is said about removed turns elsewhere goes
 * with them; summaries that covered them are made anew, in the background, from what is left.
 * @param thorough also looks for what is old besides turns
 */
export async function cleanSession(
  deps: SessionRetentionDeps,
  sessionId: string,
  before: number,
  thorough: boolean,
): Promise<Removed> {
  const removed: Removed = { turns: 0, events: 0, others: 0 };
  const conversations = new Set<string>();
  const stopped = await removeTurns(deps, sessionId, before, removed, conversations);
  if (!stopped && (thorough || removed.turns > 0)) {
    await removeEvents(deps, sessionId, before, removed);
    await removeLeftovers(deps, sessionId, before, removed);
  }
  const { dal, clock } = deps;
  if (removed.turns + removed.events + removed.others > 0) {
    await dal.retention.settle(sessionId, followUp(conversations, clock.now()), clock.now());
  }
  return removed;
}

/** Summaries and habits are told anew from what is left. */
function followUp(conversations: Set<string>, now: number) {
  if (conversations.size === 0) return [];
  return [...[...conversations].map((id) => summariseJob(id, now)), summariseSessionJob(now), habitsJob(now)];
}

/** True when it was stopped. */
async function removeTurns(
  { dal, clock, pause }: SessionRetentionDeps,
  sessionId: string,
  before: number,
  removed: Removed,
  conversations: Set<string>,
): Promise<boolean> {
  for (;;) {
    const turns = await dal.retention.expiredTurns({
      sessionId,
      before,
      limit: TURNS_AT_ONCE,
      characters: CHARACTERS_AT_ONCE,
    });
    const touched = new Set(turns.map(({ conversationId }) => conversationId));
    const fresh = [...touched].filter((id) => !conversations.has(id));
    // First, so that a stop at any moment leaves nobody without their summary.
    if (fresh.length > 0)
      await dal.jobs.enqueue(sessionId, followUp(new Set(fresh), clock.now()), clock.now());
    for (const id of fresh) conversations.add(id);
    let gone = 0;
    for (const turn of turns) {
      gone += Number(await removeTurn(dal, sessionId, before, turn));
      if (await pause()) return true;
    }
    removed.turns += gone;
    // None of them could be removed: somebody else is at it.
    if (gone === 0) return false;
  }
}

async function removeTurn(
  dal: SessionRetentionDeps['dal'],
  sessionId: string,
  before: number,
  { conversationId, turnNumber, content }: ExpiredTurn,
): Promise<boolean> {
  const place = { sessionId, conversationId, turnNumber };
  const { terms: list } = await termsOfRow({ table: 'turns', row: { content } });
  const terms = Array.from(termsOf(list), ([term]) => term);
  const breathe = breathing();
  while (terms.length > TERMS_AT_ONCE) {
    await dal.retention.removeTerms({ ...place, terms: terms.splice(-TERMS_AT_ONCE) });
    await breathe();
  }
  return dal.retention.removeTurn({ ...place, before, terms });
}

async function removeEvents(
  { dal, clock, pause }: SessionRetentionDeps,
  sessionId: string,
  before: number,
  removed: Removed,
): Promise<void> {
  for await (const chain of expiredChains(dal.retention, sessionId, before)) {
    // From its newest end: whatever is left at a stop is a chain from its roots on.
    for (let at = 0; at < chain.length; at += EVENTS_AT_ONCE) {
      const portion = chain.slice(at, at + EVENTS_AT_ONCE);
      const done = await dal.retention.removeEvents({
        sessionId,
        eventNos: portion,
        chain,
        before,
        now: clock.now(),
      });
      if (!done) break;
      removed.events += portion.length;
      if (await pause()) return;
    }
  }
}

async function removeLeftovers(
  { dal, pause }: SessionRetentionDeps,
  sessionId: string,
  before: number,
  removed: Removed,
): Promise<void> {
  let last = '';
  for (;;) {
    const { cycles, ...left } = await dal.retention.leftovers(sessionId, before, LEFTOVERS_AT_ONCE);
    const count = countOf({ cycles, ...left });
    // The same again: they cannot be removed now.
    const named = JSON.stringify([cycles, left]);
    if (count === 0 || named === last) return;
    last = named;
    // Conversations go after their cycles.
    for (const cycleId of cycles) {
      await dal.retention.removeLeftovers(sessionId, { ...NOTHING, cycles: [cycleId] });
      if (await pause()) return;
    }
    await dal.retention.removeLeftovers(sessionId, { ...left, cycles: [] });
    removed.others += count;
    if (await pause()) return;
  }
}

const NOTHING: Leftovers = {
  cycles: [],
  facts: [],
  summaries: [],
  idempotencyKeys: [],
  factVersions: [],
  lessonVersions: [],
  jobs: [],
  conversations: [],
  speakers: [],
};

function countOf(left: Leftovers): number {
  return Object.values(left as unknown as Record<string, unknown[]>).reduce(
    (sum, { length }) => sum + length,
    0,
  );
}
