import { downloadTrace } from '../actions/trace.ts';
import { view } from '../state/view.ts';
import { openPanel } from '../state/model.ts';
import { selected, traced } from '../state/trace.ts';
import { treeOf, type Branch, type Tree } from '../trace/tree.ts';
import { count, outcomeName, span } from '../text/words.ts';
import { StepDetails } from './trace-steps.tsx';

/** Height of one bar of the timeline and the space around it, in units of its drawing. */
const BAR = 10;
const ROW = 16;

/** The calls of the cycle in short: by rounds and on a timeline, with one selection. */
export function TracePanel() {
  const current = traced.value;
  if (!current) return <p class="quiet">After a directive, this shows each call that was made for it.</p>;
  const { cycle, story } = current;
  const tree = treeOf(cycle, story.events, Date.now());
  const [root, ...rest] = tree.branches;
  return (
    <>
      <p>
        <strong>{cycle.outcome === null ? 'At work' : outcomeName(cycle.outcome)}</strong>
        <br />
        <span class="quiet">
          {count(cycle.steps.length, 'step')} · {count(root?.tokens ?? 0, 'token')} · {span(root?.ms ?? 0)}
        </span>
      </p>
      <Timeline tree={tree} />
      <ol class="rounds">
        {rest
          .filter(({ step }) => step === null)
          .map((round) => (
            <Round
              key={round.key}
              round={round}
              steps={rest.filter(({ within }) => within.includes(round.key))}
            />
          ))}
      </ol>
      <div class="row">
        <button
          class="button"
          type="button"
          onClick={() => {
            view.value = 'trace';
            openPanel.value = null;
          }}
        >
          Replay and compare
        </button>
        <button
          class="button"
          type="button"
          onClick={() => {
            downloadTrace(current);
          }}
        >
          Download this trace
        </button>
      </div>
    </>
  );
}

function Round({ round, steps }: { round: Branch; steps: Branch[] }) {
  return (
    <li>
      <div class="round-head">
        <span>{round.name}</span>
        <span class="quiet">
          {count(round.tokens, 'token')} · {span(round.ms)}
        </span>
      </div>
      <ul>
        {steps.map(({ key, agent, name, tokens, ms, step }) => (
          <li key={key}>
            <button
              type="button"
              class={`step ${agent ?? ''}`}
              aria-expanded={key === selected.value}
              onClick={() => (selected.value = selected.value === key ? null : key)}
            >
              <span>{name}</span>
              <span class="number">
                {tokens.toLocaleString()} t · {span(ms)}
              </span>
            </button>
            {key === selected.value && step && <StepDetails step={step} />}
          </li>
        ))}
      </ul>
    </li>
  );
}

/** Bars in the order of the steps, from the first start to the last end. */
function Timeline({ tree }: { tree: Tree }) {
  const steps = tree.branches.filter(({ step }) => step !== null);
  if (steps.length === 0) return null;
  return (
    <svg
      class="timeline"
      viewBox={`0 0 300 ${String(steps.length * ROW)}`}
      role="img"
      aria-label={`Timeline of ${count(steps.length, 'step')} over ${span(tree.length)}`}
    >
      {steps.map(({ key, agent, name, from, ms }, at) => (
        <rect
          key={key}
          class={`${agent ?? ''}${key === selected.value ? ' chosen' : ''}`}
          x={(from / tree.length) * 296}
          y={at * ROW + (ROW - BAR) / 2}
          width={Math.max(2, (ms / tree.length) * 296)}
          height={BAR}
          rx="2"
          onClick={() => (selected.value = selected.value === key ? null : key)}
        >
          <title>{`${name}: ${span(ms)}`}</title>
        </rect>
      ))}
    </svg>
  );
}
