import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { TurnInput } from '../memory/memory-service.ts';
import type { CycleRecord } from '../store/cycle-store.ts';
import type { JsonObject } from '../store/records.ts';
import type { StartCycle } from './cycle-service.ts';
import { initialState } from './machine/step.ts';
import { NOT_RECORDED } from './runner/cycle-run.ts';
import { asJson, storedRequest } from './runner/stored-request.ts';

/** A cycle before its first step, with the directive's turn and the first event that go into the record with it. */
export function newCycle(
  deps: { clock: Clock },
  input: StartCycle,
): { cycle: CycleRecord; turns: TurnInput[]; events: { type: string; data: JsonObject }[] } {
  const { sessionId, conversationId, directive, options, context, storeTurns } = input;
  const now = deps.clock.now();
  const cycleId = newId('cyc');
  const stored = storedRequest(cycleId, input);
  const state = initialState({
    maxRevisions: options.maxRounds,
    maxTotalTokens: options.maxTotalTokens,
    maxSeconds: options.maxSeconds ?? null,
    decideFirst: options.decideFirst ?? false,
    criteria: options.criteria.map((text, at) => ({ id: `c${String(at + 1)}`, text })),
  });
  return {
    cycle: {
      sessionId,
      conversationId,
      cycleId,
      status: state.status,
      outcome: null,
      request: asJson(stored),
      machine: asJson(state),
      version: NOT_RECORDED,
      createdAt: now,
      updatedAt: now,
    },
    turns:
      storeTurns && input.directiveStored !== true
        ? [
            {
              agent: 'wykeve',
              kind: 'directive',
              content: directive,
              speaker: input.speaker ?? null,
              timestamp: now,
              cycleId,
              metadata: input.directiveMetadata ?? {},
            },
          ]
        : [],
    events: [
      {
        type: 'cycle_started',
        data: asJson({
          agent: 'wykeve',
          directive,
          conversation_id: conversationId,
          criteria: state.criteria,
          context: {
            tokens: context?.tokenCount ?? 0,
            omitted_turns: context?.omittedTurns ?? 0,
            prompt: context?.prompt ?? null,
            lessons: (stored.lessons ?? []).map(({ lessonId, line, given }) => ({
              lesson_id: lessonId,
              text: line.replace(/^- /, ''),
              given,
            })),
            sections: (context?.sections ?? []).map(({ name, tokens }) => ({ name, tokens })),
            turns: (context?.relevantTurns ?? []).map(({ turn, score, source, parts }) => ({
              turn_id: turn.turnId,
              turn_number: turn.turnNumber,
              conversation_id: turn.conversationId,
              agent: turn.agent,
              speaker: turn.speaker,
              timestamp: new Date(turn.timestamp).toISOString(),
              content: turn.content,
              score,
              source,
              parts,
            })),
          },
        }),
      },
    ],
  };
}
