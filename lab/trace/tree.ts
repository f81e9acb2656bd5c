import type { AgentName, CycleStep, CycleView, Usage } from '../api/types.ts';

/** One line of the trace: the cycle, a round of it, or one call. */
export interface Branch {
  /** The same in every cycle, so that two cycles share one selection: `cycle`, `round:2`, `draft:2:1`. */
  key: string;
  /** Keys of the lines above, from the cycle down. */
  within: string[];
  name: string;
  agent: AgentName | null;
  /** Of all calls below. */
  tokens: number;
  /** Milliseconds that the calls below took together; waiting between them does not count. */
  ms: number;
  /** From the beginning of the cycle, in milliseconds. */
  from: number;
  to: number;
  step: CycleStep | null;
}

export interface Tree {
  /** Each line before the lines below it. */
  branches: Branch[];
  /** When the cycle began, in milliseconds since the epoch. */
  start: number;
  /** From its beginning to the end of its last call or event, in milliseconds; at least 1. */
  length: number;
}

const NAMES: Record<string, string> = { guide: 'Guidance', draft: 'Draft', review: 'Review' };

/** The calls of a cycle by rounds, with tokens and time summed upwards. `now` ends what is still at work. */
export function treeOf(view: CycleView, events: { created_at: string }[], now: number): Tree {
  const starts = [view.created_at, ...view.steps.map(({ started_at: at }) => at)].map(Date.parse);
  const start = Math.min(...starts);
  const steps = view.steps.map((step) => stepBranch(step, start, now));
  const rounds = new Map<number, Branch[]>();
  for (const branch of steps) {
    const round = branch.step?.round ?? 0;
    rounds.set(round, [...(rounds.get(round) ?? []), branch]);
  }
  const ends = [...steps.map(({ to }) => to), ...events.map(({ created_at: at }) => Date.parse(at) - start)];
  const length = Math.max(1, ...ends);
  const root = summed({ key: 'cycle', within: [], name: 'The cycle' }, steps);
  return {
    start,
    length,
    branches: [
      { ...root, from: 0, to: length },
      ...[...rounds].flatMap(([round, below]) => [
        summed({ key: `round:${String(round)}`, within: ['cycle'], name: `Round ${String(round)}` }, below),
        ...below,
      ]),
    ],
  };
}

function stepBranch(step: CycleStep, start: number, now: number): Branch {
  const from = Date.parse(step.started_at) - start;
  const to = Math.max(from, (step.ended_at === null ? now : Date.parse(step.ended_at)) - start);
  const again = step.attempt > 1 ? ` · attempt ${String(step.attempt)}` : '';
  return {
    key: `${step.kind}:${String(step.round)}:${String(step.attempt)}`,
    within: ['cycle', `round:${String(step.round)}`],
    name: `${NAMES[step.kind] ?? step.kind}${again}${step.status === 'failed' ? ' · failed' : ''}`,
    agent: step.agent,
    tokens: usageOf(step)?.total_tokens ?? 0,
    ms: to - from,
    from,
    to,
    step,
  };
}

function summed(head: Pick<Branch, 'key' | 'within' | 'name'>, below: Branch[]): Branch {
  return {
    ...head,
    agent: null,
    tokens: below.reduce((sum, { tokens }) => sum + tokens, 0),
    ms: below.reduce((sum, { ms }) => sum + ms, 0),
    from: Math.min(...below.map(({ from }) => from)),
    to: Math.max(...below.map(({ to }) => to)),
    step: null,
  };
}

/** What the upstream counted; null when it did not say or the call is not over. */
export function usageOf(step: CycleStep): Usage | null {
  const usage = step.output?.['usage'];
  return typeof usage === 'object' && usage !== null ? (usage as Usage) : null;
}
