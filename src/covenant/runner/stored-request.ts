import type { ChatRequest } from '../../models/chat-types.ts';
import type { JsonObject } from '../../store/records.ts';
import { memoryEvidence, type MemoryEvidence } from '../checks/memory-says.ts';
import { lessonsForCycle, type GivenLesson } from '../learning/given-lessons.ts';
import type { BudgetPreference, StartCycle } from '../cycle-service.ts';

/** What a cycle was asked, as it is stored: enough to go on after a restart. */
export interface StoredRequest {
  directive: string;
  request: ChatRequest;
  memory: string | null;
  contextTokens: number;
  /** How long the context has taken, in milliseconds; absent in cycles of older versions. */
  contextMs?: number;
  /** Ids of the remembered turns that the prompt holds. */
  contextTurnIds: string[];
  /** What memory holds against a wrong draft; absent in cycles of older versions. */
  evidence?: MemoryEvidence;
  /** Lessons that were chosen for it; absent in cycles of older versions. */
  lessons?: GivenLesson[];
  storeTurns: boolean;
  /** Models that the request or the session has chosen; absent in cycles of older versions. */
  models?: { beatrice?: string; codey?: string };
  /** The session's own limits when the cycle began. */
  budget?: BudgetPreference | null;
}

export function storedRequest(cycleId: string, input: StartCycle): StoredRequest {
  return {
    directive: input.directive,
    request: input.request,
    memory: input.context?.prompt ?? null,
    contextTokens: input.context?.tokenCount ?? 0,
    contextMs: Math.round(input.contextMs ?? 0),
    contextTurnIds: input.context?.relevantTurns.map(({ turn }) => turn.turnId) ?? [],
    evidence: memoryEvidence(input.context),
    lessons: lessonsForCycle(cycleId, input.context?.lessons ?? []),
    storeTurns: input.storeTurns,
    models: input.options.models ?? {},
    budget: input.options.budget ?? null,
  };
}

/** A typed object as plain JSON, for the record. */
export function asJson(value: object): JsonObject {
  return value as unknown as JsonObject;
}

/** What the record gave back, as the type it was stored as. */
export function fromJson<T>(value: JsonObject): T {
  return value as unknown as T;
}
