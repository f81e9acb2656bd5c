import type { TurnInput } from '../../memory/memory-service.ts';
import type { JsonObject } from '../../store/records.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import { textOf } from '../../models/chat-result.ts';
import type { Cost, Draft, MachineEvent, MachineState } from '../machine/state.ts';
import { callsText } from '../prompts/criteria.ts';
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
        output: { text: event.guidance, usage: event.usage, ms: event.ms },
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
          ms: event.ms,
          checks,
        },
      };
    }
    case 'reviewed': {
      const { verdict } = event;
      // An approval that passed over open issues is no verdict yet: the reviewer is asked once more.
      if (after.unreadable) return unread(after.unreadable.problem, event);
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
        output: { verdict, accepted: review?.accepted ?? false, usage: event.usage, ms: event.ms },
      };
    }
    case 'review_unreadable':
      return unread(event.problem, event);
    case 'tools_called':
      return toolsCalled(event.message, after, event);
    case 'tools_answered':
      return toolsAnswered(event.results);
    case 'call_failed':
      return { turns: [], events: [], output: { fault: event.fault, usage: event.usage, ms: event.ms } };
    case 'stopped':
      return { turns: [], events: [], output: { why: event.why, usage: event.usage, ms: event.ms } };
    case 'resumed':
      return { turns: [], events: [{ type: 'resumed', data: {} }], output: {} };
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

function unread(problem: string, { usage, ms }: Cost): Told {
  return {
    turns: [],
    events: [{ type: 'verdict_unreadable', data: { agent: 'beatrice', problem } }],
    output: { problem, usage, ms },
  };
}

function toolsCalled(message: ChatMessage, after: MachineState, { usage, ms }: Cost): Told {
  const calls = asJson({ tool_calls: message.tool_calls });
  const round = after.drafts.length + 1;
  return {
    turns: [
      {
        agent: 'codey',
        kind: 'tool',
        content: [textOf(message), callsText(message)].filter(Boolean).join('\n'),
        metadata: { round, ...calls },
      },
    ],
    events: [{ type: 'tools_called', data: { agent: 'codey', round, ...calls } }],
    output: { ...calls, text: textOf(message), usage, ms },
  };
}

function toolsAnswered(results: ChatMessage[]): Told {
  const named = results.map((message) => ({ id: String(message.tool_call_id), text: textOf(message) }));
  return {
    turns: named.map(({ id, text }) => ({
      agent: 'codey',
      kind: 'tool',
      content: text,
      metadata: { tool_result: true, tool_call_id: id },
    })),
    events: [{ type: 'tools_answered', data: { agent: 'codey', tool_call_ids: named.map(({ id }) => id) } }],
    output: {},
  };
}

/** Ends after which nobody has been given an answer: what waits or may go on, and what nobody wanted any more. */
const WITHOUT_ANSWER: readonly (string | null)[] = [
  'awaiting_decision',
  'awaiting_tools',
  'drained',
  'client_cancelled',
];

function ofEnd(after: MachineState): { turn: TurnInput | null; ending: JsonObject } {
  const draft = after.drafts.find(({ round }) => round === after.delivered);
  const answered = draft !== undefined && !WITHOUT_ANSWER.includes(after.outcome);
  return { turn: answered ? answerTurn(draft, after) : null, ending: ending(draft, after) };
}

function answerTurn(draft: Draft, after: MachineState): TurnInput {
  const metadata = { round: draft.round, outcome: after.outcome };
  return { agent: 'codey', kind: 'answer', content: draft.text, metadata: asJson(metadata) };
}

function ending(draft: Draft | undefined, after: MachineState): JsonObject {
  return asJson({
    outcome: after.outcome,
    reason: after.reason,
    round: draft?.round ?? null,
    rounds: after.drafts.length,
    answer: draft?.text ?? '',
    draft_hash: draft?.hash ?? null,
    usage: after.usage,
  });
}
