import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { JobError } from '../../jobs/job-error.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import type { CausalEventRecord, NewCausalEvent, NewCausalLink } from '../../store/causal-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { NewJob, TurnRecord } from '../../store/records.ts';
import { analyse } from '../../text/analyse.ts';
import { countTokens } from '../../text/tokens.ts';
import { extractJob, judgeJobs } from '../judging/jobs.ts';
import { cycleHistory } from './cycle-events.ts';
import type { Extraction, Extractor } from './extractor.ts';

export interface ExtractDeps {
  dal: Pick<MemoryDAL, 'causal' | 'turns'>;
  extractor: Extractor;
  /** The work that new texts give rise to, whoever finds their causes. */
  jobsOfTexts?: (now: number) => NewJob[];
  clock: Clock;
  /** Told of sessions that have new events. */
  changed: (sessionId: string) => void;
}

/** Most that is read at a time. */
const MOST_TURNS = 40;
const MOST_TOKENS = 3_000;
/** Events noted before that the reader is shown, so that it does not note them again. */
const KNOWN = 10;
/** What is said to somebody. The work between a directive and its answer is told by its cycle. */
const READ_KINDS = new Set<TurnRecord['kind']>(['directive', 'answer', 'message']);

/**
 * Reads what was said in a conversation since it was last read, notes the events, and has their causes looked for.
 * Events, their links, how far was read, and the next jobs are stored together: a job that runs twice notes nothing
 * twice, and one that is cut off loses nothing.
 */
export function extractEvents({
  dal,
  extractor,
  jobsOfTexts = () => [],
  clock,
  changed,
}: ExtractDeps): JobHandler {
  return async ({ sessionId, payload }, { signal, isLastAttempt }) => {
    const conversationId = String(payload['conversation_id']);
    const through = await dal.causal.progress(sessionId, conversationId);
    const unread = await dal.turns.list({
      sessionId,
      conversationId,
      fromNumber: through + 1,
      limit: MOST_TURNS,
    });
    const turns = portion(unread);
    const last = turns.at(-1);
    if (!last) return;
    const spoken = turns.filter((turn) => READ_KINDS.has(turn.kind) && turn.content.trim() !== '');
    const known = await dal.causal.recentEvents({ sessionId, before: null, conversationId, limit: KNOWN });
    const read = spoken.length === 0 ? NOTHING : await extractor.extract(spoken, known, signal);
    if (read === null && !isLastAttempt) throw new Error('the reader gave no answer that could be used');
    const now = clock.now();
    const extraction = withoutKnown(read ?? NOTHING, known);
    const events = extraction.events.map((event): NewCausalEvent => ({
      eventId: newId('evt'),
      conversationId,
      sourceTurnId: event.turn.turnId,
      text: event.text,
      actor: event.actor,
      happenedAt: event.turn.timestamp,
      recordedBy: extractor.recordedBy,
      judged: false,
      terms: analyse(event.text),
    }));
    const histories = await Promise.all(turns.map((turn) => cycleHistory(dal, turn)));
    const ofCycles = histories.flatMap((history) => history.events);
    const more = unread.length > turns.length || unread.length === MOST_TURNS;
    await dal.causal.addEvents({
      sessionId,
      events: [...events, ...ofCycles],
      links: [
        ...statedLinks(extraction, events, extractor),
        ...histories.flatMap((history) => history.links),
      ],
      progress: { conversationId, throughTurn: last.turnNumber },
      jobs: [
        ...(events.length + ofCycles.length > 0 ? jobsOfTexts(now) : []),
        ...judgeJobs(
          events.map(({ eventId }) => eventId),
          now,
        ),
        ...(more ? [{ ...extractJob(conversationId, now), runAt: now }] : []),
      ],
      now,
    });
    if (events.length + ofCycles.length > 0) changed(sessionId);
    if (read === null) throw new JobError('turns were passed over: no usable answer', { retryAt: null });
  };
}

const NOTHING: Extraction = { events: [], links: [] };

/** As many turns as one reading takes, at least one. */
function portion(turns: TurnRecord[]): TurnRecord[] {
  let tokens = 0;
  const taken = turns.findIndex((turn) => {
    tokens += countTokens(turn.content);
    return tokens > MOST_TOKENS;
  });
  return taken === -1 ? turns : turns.slice(0, Math.max(1, taken));
}

/** Leaves out what was noted before in the same words; links keep pointing at what is left. */
function withoutKnown({ events, links }: Extraction, known: CausalEventRecord[]): Extraction {
  const seen = new Set(known.map(({ text }) => comparable(text)));
  const placeOf = new Map<number, number>();
  const kept = events.filter((event, at) => {
    const text = comparable(event.text);
    if (seen.has(text)) return false;
    seen.add(text);
    placeOf.set(at, placeOf.size);
    return true;
  });
  return {
    events: kept,
    links: links.flatMap((link) => {
      const [cause, effect] = [placeOf.get(link.cause), placeOf.get(link.effect)];
      return cause === undefined || effect === undefined ? [] : [{ ...link, cause, effect }];
    }),
  };
}

function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\W+/gu, ' ').trim();
}

/** Links that the text states in so many words. */
function statedLinks(
  { links }: Extraction,
  events: NewCausalEvent[],
  { recordedBy }: Extractor,
): NewCausalLink[] {
  return links.flatMap(({ cause, effect, relation, confidence, explanation }) => {
    const [from, to] = [events[cause], events[effect]];
    return from && to
      ? [
          {
            linkId: newId('link'),
            causeId: from.eventId,
            effectId: to.eventId,
            relation,
            confidence,
            explanation,
            judgedBy: recordedBy,
          },
        ]
      : [];
  });
}
