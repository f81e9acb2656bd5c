import { useSignal } from '@preact/signals';
import { saveAs } from '../actions/sessions.ts';
import type { CycleStep, CycleView, Usage } from '../api/types.ts';
import { cycle, inspected } from '../state/model.ts';
import { count, outcomeName, span } from '../text/words.ts';

const KINDS: Record<string, string> = { guide: 'Guidance', draft: 'Draft', review: 'Review' };
/** Height of one bar of the timeline and the space around it, in units of its drawing. */
const BAR = 10;
const ROW = 16;

/** The steps of the cycle: a tree by rounds and a timeline, with one selection. */
export function TracePanel() {
  const view = inspected.value?.cycle ?? cycle.value;
  const chosen = useSignal<string | null>(null);
  if (!view) return <p class="quiet">After a directive, this shows each call that was made for it.</p>;
  const step = view.steps.find(({ step_id: id }) => id === chosen.value) ?? null;
  const choose = (id: string) => (chosen.value = chosen.value === id ? null : id);
  return (
    <>
      <p>
        <strong>{view.outcome === null ? 'At work' : outcomeName(view.outcome)}</strong>
        <br />
        <span class="quiet">
          {count(view.steps.length, 'step')} · {count(sum(view.steps, tokensOf), 'token')} ·{' '}
          {span(sum(view.steps, durationOf))}
        </span>
      </p>
      <Timeline view={view} chosen={chosen.value} />
      <ol class="rounds">
        {rounds(view.steps).map(([round, steps]) => (
          <li key={round}>
            <div class="round-head">
              <span>Round {round}</span>
              <span class="quiet">
                {count(sum(steps, tokensOf), 'token')} · {span(sum(steps, durationOf))}
              </span>
            </div>
            <ul>
              {steps.map((each) => (
                <li key={each.step_id}>
                  <button
                    type="button"
                    class={`step ${each.agent}`}
                    aria-expanded={each.step_id === chosen.value}
                    onClick={() => choose(each.step_id)}
                  >
                    <span>
                      {KINDS[each.kind] ?? each.kind}
                      {each.attempt > 1 && ` · attempt ${String(each.attempt)}`}
                      {each.status === 'failed' && ' · failed'}
                    </span>
                    <span class="number">
                      {tokensOf(each).toLocaleString()} t · {span(durationOf(each))}
                    </span>
                  </button>
                  {step?.step_id === each.step_id && <StepDetails step={each} />}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      <button
        class="button"
        type="button"
        onClick={() => {
          saveAs(
            new Blob([JSON.stringify(view, null, 2)], { type: 'application/json' }),
            `${view.cycle_id}.json`,
          );
        }}
      >
        Download this trace
      </button>
    </>
  );
}

function StepDetails({ step }: { step: CycleStep }) {
  const usage = usageOf(step);
  return (
    <div class="step-details">
      <dl>
        <dt>Agent</dt>
        <dd>{step.agent}</dd>
        <dt>Model</dt>
        <dd>{String(step.input['model'] ?? '')}</dd>
        <dt>Prompt</dt>
        <dd>{usage ? count(usage.prompt_tokens, 'token') : 'not known'}</dd>
        <dt>Answer</dt>
        <dd>{usage ? count(usage.completion_tokens, 'token') : 'not known'}</dd>
      </dl>
      <details>
        <summary>Raw</summary>
        <pre class="raw" tabIndex={0}>
          {JSON.stringify(step, null, 2)}
        </pre>
      </details>
    </div>
  );
}

/** Bars in the order of the steps, from the first start to the last end. */
function Timeline({ view, chosen }: { view: CycleView; chosen: string | null }) {
  const start = Math.min(...view.steps.map(({ started_at: at }) => Date.parse(at)));
  const whole = Math.max(
    1,
    ...view.steps.map((step) => Date.parse(step.started_at) + durationOf(step) - start),
  );
  if (view.steps.length === 0) return null;
  return (
    <svg
      class="timeline"
      viewBox={`0 0 300 ${String(view.steps.length * ROW)}`}
      role="img"
      aria-label={`Timeline of ${count(view.steps.length, 'step')} over ${span(whole)}`}
    >
      {view.steps.map((step, at) => (
        <rect
          key={step.step_id}
          class={`${step.agent}${step.step_id === chosen ? ' chosen' : ''}`}
          x={((Date.parse(step.started_at) - start) / whole) * 296}
          y={at * ROW + (ROW - BAR) / 2}
          width={Math.max(2, (durationOf(step) / whole) * 296)}
          height={BAR}
          rx="2"
        >
          <title>{`${KINDS[step.kind] ?? step.kind}, round ${String(step.round)}: ${span(durationOf(step))}`}</title>
        </rect>
      ))}
    </svg>
  );
}

function rounds(steps: CycleStep[]): [number, CycleStep[]][] {
  const groups = new Map<number, CycleStep[]>();
  for (const step of steps) groups.set(step.round, [...(groups.get(step.round) ?? []), step]);
  return [...groups];
}

function usageOf(step: CycleStep): Usage | null {
  const usage = step.output?.['usage'];
  return typeof usage === 'object' && usage !== null ? (usage as Usage) : null;
}

function tokensOf(step: CycleStep): number {
  return usageOf(step)?.total_tokens ?? 0;
}

/** In milliseconds; a step at work counts up to now. */
function durationOf(step: CycleStep): number {
  const end = step.ended_at === null ? Date.now() : Date.parse(step.ended_at);
  return Math.max(0, end - Date.parse(step.started_at));
}

function sum(steps: CycleStep[], of: (step: CycleStep) => number): number {
  return steps.reduce((total, step) => total + of(step), 0);
}
