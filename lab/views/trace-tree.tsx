import { folded, playhead, selected } from '../state/trace.ts';
import type { Branch, Tree } from '../trace/tree.ts';
import { span } from '../text/words.ts';

interface Props {
  tree: Tree;
  /** Milliseconds that the whole width stands for. */
  scale: number;
  label: string;
  /** Times of the log's events, from the beginning, in milliseconds: shown as ticks on the first line. */
  ticks?: number[];
}

/**
 * The tree and, on the same lines, the timeline: choosing a line chooses its bar. Up and down move, left and right
 * fold and unfold, Enter chooses.
 */
export function TraceTree({ tree, scale, label, ticks = [] }: Props) {
  const shown = tree.branches.filter(({ within }) => !within.some((key) => folded.value.has(key)));
  const current = shown.find(({ key }) => key === selected.value) ?? shown[0];
  const onKey = (event: KeyboardEvent) => {
    const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role="treeitem"]')];
    const at = rows.findIndex((row) => row === document.activeElement);
    const branch = shown[at];
    if (!branch) return;
    const act: Record<string, () => void> = {
      ArrowDown: () => rows[at + 1]?.focus(),
      ArrowUp: () => rows[at - 1]?.focus(),
      Home: () => rows[0]?.focus(),
      End: () => rows.at(-1)?.focus(),
      ArrowLeft: () => {
        fold(branch, true);
      },
      ArrowRight: () => {
        fold(branch, false);
      },
      Enter: () => {
        choose(branch.key);
      },
      ' ': () => {
        choose(branch.key);
      },
    };
    const run = act[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };
  return (
    <div class="trace-tree" role="tree" aria-label={label} onKeyDown={onKey}>
      {shown.map((branch) => (
        <Line
          key={branch.key}
          branch={branch}
          scale={scale}
          reachable={branch.key === current?.key}
          ticks={branch.key === 'cycle' ? ticks : []}
        />
      ))}
    </div>
  );
}

function choose(key: string): void {
  selected.value = selected.value === key ? null : key;
}

function fold({ key, step }: Branch, away: boolean): void {
  if (step) return;
  const next = new Set(folded.value);
  if (away) next.add(key);
  else next.delete(key);
  folded.value = next;
}

function Line(props: { branch: Branch; scale: number; reachable: boolean; ticks: number[] }) {
  const { branch, scale, reachable, ticks } = props;
  const { key, name, agent, tokens, ms, step, within } = branch;
  const isFolded = folded.value.has(key);
  const isChosen = selected.value === key;
  const atWork = isAtWork(branch);
  return (
    <div
      class={`trace-line depth-${String(within.length)} ${agent ?? ''}${isChosen ? ' chosen' : ''}${atWork ? ' at-work' : ''}`}
      role="treeitem"
      aria-level={within.length + 1}
      aria-selected={isChosen}
      aria-expanded={step ? undefined : !isFolded}
      tabIndex={reachable ? 0 : -1}
      onClick={() => {
        choose(key);
      }}
    >
      <span class="name">
        {!step && (
          <span
            class="fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              fold(branch, !isFolded);
            }}
          >
            {isFolded ? '▸' : '▾'}
          </span>
        )}
        {name}
      </span>
      <span class="number">{tokens.toLocaleString()} t</span>
      <span class="number">{span(ms)}</span>
      <Bar branch={branch} scale={scale} ticks={ticks} />
    </div>
  );
}

function isAtWork({ from, to, step }: Branch): boolean {
  const at = playhead.value;
  return at !== null && step !== null && from <= at && at < to;
}

const percent = (part: number) => `${(Math.min(1, Math.max(0, part)) * 100).toFixed(3)}%`;

/** From when to when; what had not happened at the playhead is pale. */
function Bar({ branch, scale, ticks }: { branch: Branch; scale: number; ticks: number[] }) {
  const { from, to, within } = branch;
  const at = playhead.value;
  const done = at === null ? to : Math.min(to, Math.max(from, at));
  return (
    <svg class={`bar bar-${String(within.length)}`} aria-hidden="true">
      <rect
        class="pale"
        x={percent(from / scale)}
        width={percent((to - from) / scale)}
        y="25%"
        height="50%"
        rx="2"
      />
      <rect
        class="done"
        x={percent(from / scale)}
        width={percent((done - from) / scale)}
        y="25%"
        height="50%"
        rx="2"
      />
      {ticks.map((tick, number) => (
        <line
          key={number}
          class="tick"
          x1={percent(tick / scale)}
          x2={percent(tick / scale)}
          y1="10%"
          y2="90%"
        />
      ))}
      {at !== null && (
        <line class="playhead" x1={percent(at / scale)} x2={percent(at / scale)} y1="0" y2="100%" />
      )}
    </svg>
  );
}
