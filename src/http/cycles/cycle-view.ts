import { isoTime } from '../../base/clock.ts';
import type { MachineState } from '../../covenant/machine/state.ts';
import { pendingCall } from '../../covenant/machine/tools.ts';
import { verdictsOf } from '../../covenant/runner/cycle-result.ts';
import { fromJson } from '../../covenant/runner/stored-request.ts';
import type { CycleEventRecord, CycleHead, CycleRecord, CycleStepRecord } from '../../store/cycle-store.ts';

/** A cycle as lists show it. */
export function cycleHead(cycle: CycleHead) {
  return {
    cycle_id: cycle.cycleId,
    session_id: cycle.sessionId,
    conversation_id: cycle.conversationId,
    status: cycle.status,
    outcome: cycle.outcome,
    created_at: isoTime(cycle.createdAt),
    updated_at: isoTime(cycle.updatedAt),
  };
}

/** A cycle with all there is to know about it. */
export function cycleView(cycle: CycleRecord, steps: CycleStepRecord[]) {
  const state = fromJson<MachineState>(cycle.machine);
  const draft = state.drafts.find(({ round }) => round === state.delivered);
  return {
    ...cycleHead(cycle),
    directive: cycle.request['directive'],
    reason: state.reason,
    rounds: state.drafts.length,
    max_rounds: state.limits.maxRevisions,
    max_total_tokens: state.limits.maxTotalTokens,
    max_seconds: state.limits.maxSeconds,
    worked_ms: state.workedMs,
    criteria: state.criteria,
    guidance: state.guidance,
    answer: draft?.text ?? null,
    /** What a decision has to name. */
    draft_hash: draft?.hash ?? null,
    tool_calls: pendingCall(state)?.tool_calls ?? null,
    error: state.fault?.error ?? null,
    verdicts: verdictsOf(state),
    usage_by_agent: state.usage,
    steps: steps.map((step) => ({
      step_id: step.stepId,
      step_number: step.stepNumber,
      kind: step.kind,
      agent: step.agent,
      round: step.round,
      attempt: step.attempt,
      status: step.status,
      input: step.input,
      output: step.output,
      started_at: isoTime(step.startedAt),
      ended_at: step.endedAt === null ? null : isoTime(step.endedAt),
    })),
  };
}

/** A stored event as watchers get it. */
export function eventView(event: CycleEventRecord) {
  return { cycle_id: event.cycleId, seq: event.seq, created_at: isoTime(event.createdAt), ...event.data };
}
