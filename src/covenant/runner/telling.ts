import type { TurnInput } from '../../memory/memory-service.ts';
import type { JsonObject } from '../../store/records.ts';
import type { MachineEvent, MachineState } from '../machine/state.ts';
import type { Verdict } from '../verdict/verdict-schema.ts';
import { asJson, type StoredRequest } from './stored-request.ts';

interface Told {
  turns: TurnInput[];
  events: { type: string; data: JsonObject }[];
  /** For the step's row. */
  output: object;
}

const DECISIONS = {
  approve: 'Approved.',
  revise: 'To be revised.',
  ask_person: 'The person has to decide.',
} as const;

/** A verdict as a person reads it. */
export function verdictText(verdict: Verdict): string {
  const issues = verdict.issues.map(
    ({ severity, where, fix }) => `- ${severity}: ${[where, fix].filter(Boolean).join(' → ')}`,
  );
  const unmet = verdict.criteria
    .filter(({ met }) => met !== 'yes')
    .map(
      ({ id, met, evidence }) =>
        `- criterion ${id}: ${met === 'no' ? 'not met' : 'unknown'}${evidence ? ` (${evidence})` : ''}`,
    );
  return [DECISIONS[verdict.decision], ...issues, ...unmet].join('\n');
}

/** What a step boundary leaves in the record: the agents' turns, what watchers are told, the step's result. */
export function describeTransition(event: MachineEvent, after: MachineState, request: StoredRequest): Told {
  const told = ofEvent(event, after);
  if (after.outcome !== null) {
    const { turn, ending } = ofEnd(after);
    if (turn) told.turns.push(turn);
    told.events.push({ type: 'cycle_ended', data: ending });
  }
  if (!request.storeTurns) told.turns = [];
  told.turns = told.turns.filter(({ content }) => content.trim() !== '');
  return told;
}

function ofEvent(event: MachineEvent, after: MachineState): Told {
  const round = after.drafts.length;
  switch (event.type) {
    case 'guided':
      return {
        turns: [{ agent: 'beatrice', kind: 'guidance', content: event.guidance, metadata: { round: 1 } }],
        events: [{ type: 'guidance', data: { agent: 'beatrice', round: 1, text: event.guidance } }],
        output: { text: event.guidance, usage: event.usage },
      };
    case 'drafted': {
      const checks = after.drafts.at(-1)?.checks ?? [];
      return {
        turns: [{ agent: 'codey', kind: 'draft', content: event.text, metadata: { round } }],
        events: [
          {
            type: 'draft',
            data: asJson({
              agent: 'codey',
              round,
              text: event.text,
              hash: event.hash,
              model: event.model,
              checks,
            }),
          },
        ],
        output: {
          text: event.text,
          hash: event.hash,
          finish_reason: event.finishReason,
          usage: event.usage,
          checks,
        },
      };
    }
    case 'reviewed': {
      const { verdict } = event;
      const review = after.drafts.at(-1)?.review;
      const text = verdictText(verdict);
      return {
        turns: [{ agent: 'beatrice', kind: 'verdict', content: text, metadata: asJson({ round, verdict }) }],
        events: [
          {
            type: 'verdict',
            data: asJson({
              agent: 'beatrice',
              round,
              text,
              verdict,
              open: review?.open ?? [],
              accepted: review?.accepted ?? false,
            }),
          },
        ],
        output: { verdict, accepted: review?.accepted ?? false, usage: event.usage },
      };
    }
    case 'review_unreadable':
      return { turns: [], events: [], output: { problem: event.problem, usage: event.usage } };
    case 'call_failed':
      return { turns: [], events: [], output: { fault: event.fault, usage: event.usage } };
    case 'stopped':
      return { turns: [], events: [], output: { why: event.why, usage: event.usage } };
    case 'decided':
      return {
        turns: event.text === '' ? [] : [{ agent: 'wykeve', kind: 'message', content: event.text }],
        events: [{ type: 'decided', data: { agent: 'wykeve', decision: event.decision, text: event.text } }],
        output: {},
      };
    case 'started':
    case 'checked':
    case 'over_budget':
      return { turns: [], events: [], output: {} };
  }
}

function ofEnd(after: MachineState): { turn: TurnInput | null; ending: JsonObject } {
  const draft = after.drafts.find(({ round }) => round === after.delivered);
  return {
    turn: draft
      ? {
          agent: 'codey',
          kind: 'answer',
          content: draft.text,
          metadata: asJson({ round: draft.round, outcome: after.outcome }),
        }
      : null,
    ending: asJson({
      outcome: after.outcome,
      reason: after.reason,
      round: draft?.round ?? null,
      rounds: after.drafts.length,
      answer: draft?.text ?? '',
      usage: after.usage,
    }),
  };
}
