import type { CheckResult, MachineEvent, MachineState } from '../../src/covenant/machine/state.ts';
import { initialState, step } from '../../src/covenant/machine/step.ts';
import type { Verdict } from '../../src/covenant/verdict/verdict-schema.ts';

export const USAGE = { prompt_tokens: 80, completion_tokens: 20, total_tokens: 100 };
export const COST = { usage: USAGE, ms: 5 };
export const blocker = (id: string): Verdict['issues'][number] => ({
  id,
  severity: 'blocker',
  where: 'the second sentence',
  fix: 'say it right',
});
export const verdict = (fields: Partial<Verdict> = {}): Verdict => ({
  decision: 'approve',
  issues: [],
  resolved: [],
  criteria: [],
  lesson: null,
  ...fields,
});
export const drafted = (text: string): MachineEvent => ({
  type: 'drafted',
  text,
  hash: `hash of ${text}`,
  finishReason: 'stop',
  model: 'm',
  ...COST,
});
export const reviewed = (fields: Partial<Verdict> = {}): MachineEvent => ({
  type: 'reviewed',
  verdict: verdict(fields),
  ...COST,
});
export const PASSED: CheckResult[] = [{ name: 'not_empty', passed: true, detail: '' }];
export const checked = (results = PASSED): MachineEvent => ({ type: 'checked', results });

export function begin(
  limits: { maxRevisions?: number; maxTotalTokens?: number; maxSeconds?: number; criteria?: string[] } = {},
): MachineState {
  return initialState({
    maxRevisions: limits.maxRevisions ?? 3,
    maxTotalTokens: limits.maxTotalTokens ?? null,
    maxSeconds: limits.maxSeconds ?? null,
    criteria: (limits.criteria ?? []).map((text, at) => ({ id: `c${String(at + 1)}`, text })),
  });
}

/** Applies events one after the other. */
export function after(state: MachineState, ...events: MachineEvent[]): MachineState {
  return events.reduce((now, event) => step(now, event).state, state);
}

export const guided: MachineEvent[] = [
  { type: 'started' },
  { type: 'guided', guidance: 'Be brief.', ...COST },
];
