import { useEffect } from 'preact/hooks';
import { compareWith, downloadTrace, endReplay, loadCycles, traceCycle } from '../actions/trace.ts';
import type { CycleHead } from '../api/types.ts';
import { conversationId, conversations, turns } from '../state/model.ts';
import { compared, lists, selected, traced, type Traced } from '../state/trace.ts';
import { treeOf, type Tree } from '../trace/tree.ts';
import { count, outcomeName, span, when } from '../text/words.ts';
import { Comparison } from './trace-compare.tsx';
import { Known, ReplayControls } from './trace-replay.tsx';
import { Raw, StepDetails } from './trace-steps.tsx';
import { TraceTree } from './trace-tree.tsx';

/** A cycle from its first call to its last: tree, timeline and replay, and a second cycle beside it. */
export function TraceView() {
  const thread = conversationId.value;
  const current = traced.value;
  const outcome = current?.cycle.outcome;
  useEffect(() => {
    compared.value = null;
    return endReplay;
  }, [thread]);
  // A cycle that begins or ends changes the list.
  useEffect(() => {
    void loadCycles('conversation');
    void loadCycles('session');
  }, [thread, current?.cycle.cycle_id, outcome]);
  if (!current) {
    return (
      <div class="trace-view">
        <p class="welcome">After a directive, this shows each call that was made for it.</p>
      </div>
    );
  }
  const other = compared.value;
  const left = { traced: current, tree: treeOf(current.cycle, current.story.events, Date.now()) };
  const right = other && { traced: other, tree: treeOf(other.cycle, other.story.events, Date.now()) };
  const longer = right && right.tree.length > left.tree.length ? right.tree : left.tree;
  const times = [left, ...(right ? [right] : [])]
    .flatMap(({ traced: { story }, tree }) => timesOf(story.events, tree))
    .sort((a, b) => a - b);
  return (
    <div class="trace-view">
      <div class="trace-choice">
        <CycleChoice name="Cycle" of="conversation" value={current.cycle.cycle_id} choose={traceCycle} />
        <CycleChoice
          name="Beside it"
          of="session"
          value={other?.cycle.cycle_id ?? ''}
          without={current.cycle.cycle_id}
          choose={compareWith}
        />
      </div>
      <ReplayControls tree={longer} times={[...new Set(times)]} />
      <div class={right ? 'two' : 'one'}>
        <Column side={left} scale={longer.length} label={right ? 'The left cycle' : 'The cycle'} />
        {right && <Column side={right} scale={longer.length} label="The right cycle" />}
      </div>
      {right && <Comparison left={left} right={right} />}
    </div>
  );
}

function timesOf(events: Traced['story']['events'], tree: Tree): number[] {
  return events.map(({ created_at: at }) => Date.parse(at) - tree.start);
}

function Column({
  side,
  scale,
  label,
}: {
  side: { traced: Traced; tree: Tree };
  scale: number;
  label: string;
}) {
  const { cycle, story } = side.traced;
  const chosen = side.tree.branches.find(({ key }) => key === selected.value);
  return (
    <section class="trace-column" aria-label={label}>
      <p>
        <strong>{cycle.outcome === null ? 'At work' : outcomeName(cycle.outcome)}</strong>{' '}
        <span class="quiet">
          {count(cycle.steps.length, 'call')} · {count(side.tree.branches[0]?.tokens ?? 0, 'token')} ·{' '}
          {span(side.tree.branches[0]?.ms ?? 0)} of work
        </span>
      </p>
      <TraceTree tree={side.tree} scale={scale} label={label} ticks={timesOf(story.events, side.tree)} />
      {chosen?.step && <StepDetails step={chosen.step} />}
      <Known traced={side.traced} tree={side.tree} />
      <div class="row">
        <button
          class="button"
          type="button"
          onClick={() => {
            downloadTrace(side.traced);
          }}
        >
          Download this trace
        </button>
        <Raw name="Raw record of the cycle" value={cycle} />
      </div>
    </section>
  );
}

/** Which cycle is shown. */
function CycleChoice(props: {
  name: string;
  of: keyof typeof lists;
  value: string;
  without?: string;
  choose: (cycleId: string) => Promise<void>;
}) {
  const { name, of, value, without, choose } = props;
  const { cycles, more } = lists[of].value;
  // What is at work is followed live as the last cycle; beside another it would never be whole.
  const offered = cycles.filter(
    ({ cycle_id: id, outcome }) => id !== without && (outcome !== null || id === value),
  );
  return (
    <label>
      <span class="quiet">{name}</span>
      <select
        value={value}
        onChange={(event) => {
          const { value: picked } = event.currentTarget;
          if (picked === 'more') void loadCycles(of, more);
          else void choose(picked);
        }}
      >
        {without !== undefined && <option value="">No other cycle</option>}
        {offered.map((head) => (
          <option key={head.cycle_id} value={head.cycle_id}>
            {nameOf(head)}
          </option>
        ))}
        {more !== null && <option value="more">Earlier cycles …</option>}
      </select>
    </label>
  );
}

/** By what was asked, when the page knows that; else by when and how it ended. */
function nameOf({ cycle_id: id, conversation_id: thread, created_at: at, outcome }: CycleHead): string {
  const here = turns.value.find(({ cycleId, kind }) => cycleId === id && kind === 'directive')?.text;
  const there =
    thread === conversationId.value
      ? undefined
      : conversations.value.find(({ conversation_id: known }) => known === thread)?.directive;
  const asked = here ?? there ?? '';
  const short = asked.length > 60 ? `${asked.slice(0, 59)}…` : asked;
  const ended = outcome === null ? 'at work' : outcomeName(outcome).toLowerCase();
  return [when(at), short, ended].filter(Boolean).join(' · ');
}
