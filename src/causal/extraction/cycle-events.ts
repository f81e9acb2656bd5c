import { newId } from '../../base/ids.ts';
import type { NewCausalEvent, NewCausalLink } from '../../store/causal-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Json, TurnRecord } from '../../store/records.ts';
import { analyse } from '../../text/analyse.ts';

/** Turns before an answer among which those of its cycle are looked for: rounds are few. */
const REACHES_BACK = 80;
/** Rejections of one cycle that are noted: the last ones, which led to the answer. */
const MOST_REJECTIONS = 3;
/** Longest piece of a directive or a reason in an event, in characters. */
const LONGEST_DIRECTIVE = 100;
const LONGEST_REASON = 220;
/** How sure it is that a draft was changed for what its review found: the loop is made so, but a model wrote it. */
const SURE = 0.9;

export interface CycleHistory {
  events: NewCausalEvent[];
  links: NewCausalLink[];
}

/**
 * What a cycle contributes once it has answered: each draft that was sent back, with the reason, and the revision that
 * put it right. Read from its turns by a rule, without a model. A cycle whose first draft went through has no story;
 * nor has one that ended without approval an effect: then the rejections stand alone.
 */
export async function cycleHistory(dal: Pick<MemoryDAL, 'turns'>, answer: TurnRecord): Promise<CycleHistory> {
  const { sessionId, conversationId, cycleId, turnNumber } = answer;
  const nothing: CycleHistory = { events: [], links: [] };
  if (answer.kind !== 'answer' || cycleId === null) return nothing;
  const before = await dal.turns.list({
    sessionId,
    conversationId,
    fromNumber: Math.max(1, turnNumber - REACHES_BACK),
    limit: Math.min(turnNumber, REACHES_BACK + 1),
  });
  const turns = before.filter((turn) => turn.cycleId === cycleId);
  const directive = clipped(turns.find(({ kind }) => kind === 'directive')?.content ?? '', LONGEST_DIRECTIVE);
  const task = directive === '' ? '' : ` for “${directive}”`;
  const rejections = turns.flatMap((turn) => {
    const reason = reasonToRevise(turn);
    return reason === null ? [] : [{ turn, reason, round: Number(turn.metadata['round']) }];
  });
  const told = rejections.slice(-MOST_REJECTIONS).map(({ turn, reason, round }) => ({
    event: eventOf(turn, 'beatrice', `Draft ${String(round)}${task} was sent back: ${reason}`),
    reason,
  }));
  const round = Number(answer.metadata['round']);
  const last = told.at(-1);
  const approved = ['approved', 'approved_with_notes'].includes(String(answer.metadata['outcome']));
  if (!last || !approved || round <= 1) return { events: told.map(({ event }) => event), links: [] };
  const fix = eventOf(
    answer,
    'codey',
    `Draft ${String(round)}${task} was approved after it put right: ${last.reason}`,
  );
  return {
    events: [...told.map(({ event }) => event), fix],
    links: told.map(({ event }) => ({
      linkId: newId('link'),
      causeId: event.eventId,
      effectId: fix.eventId,
      relation: 'caused',
      confidence: SURE,
      explanation: 'the draft was revised for what its review found',
      judgedBy: 'rule',
    })),
  };
}

/** What a review asked to be changed, in words; null when the turn is no such review. */
function reasonToRevise({ kind, metadata }: TurnRecord): string | null {
  const verdict = asObject(metadata['verdict']);
  if (kind !== 'verdict' || verdict['decision'] !== 'revise') return null;
  const issues = list(verdict['issues']).map((issue) => {
    const { where, fix } = asObject(issue);
    return [fix, where].find((part) => typeof part === 'string' && part.trim() !== '') ?? '';
  });
  const unmet = list(verdict['criteria'])
    .map(asObject)
    .filter(({ met }) => met !== 'yes')
    .map(
      ({ id, evidence }) => `${String(id)} is not met${typeof evidence === 'string' ? ` (${evidence})` : ''}`,
    );
  const reasons = [...issues, ...unmet].map((reason) => String(reason).replace(/[.;\s]+$/, ''));
  const text = reasons.filter((reason) => reason !== '').join('; ');
  return text === '' ? null : clipped(text, LONGEST_REASON);
}

function asObject(value: Json | undefined): Record<string, Json | undefined> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function clipped(text: string, longest: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).trimEnd()}…`;
}

/** Its causes are known with it: nobody has to look for them. */
function eventOf(turn: TurnRecord, actor: string, text: string): NewCausalEvent {
  return {
    eventId: newId('evt'),
    conversationId: turn.conversationId,
    sourceTurnId: turn.turnId,
    text,
    actor,
    happenedAt: turn.timestamp,
    recordedBy: 'rule',
    judged: true,
    terms: analyse(text),
  };
}
