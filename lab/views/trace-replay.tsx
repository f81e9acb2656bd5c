import { endReplay, pause, play, replaySpeed, seek } from '../actions/trace.ts';
import { playhead, playing, type Traced } from '../state/trace.ts';
import { momentAt, sentenceOf, type Moment } from '../trace/moment.ts';
import type { Tree } from '../trace/tree.ts';
import { count, span } from '../text/words.ts';
import { Changes } from './changes.tsx';
import { Markdown } from './markdown.tsx';
import { Verdict } from './verdict.tsx';

/** Runs through the cycle as it happened: play, scrub, or step from event to event. */
export function ReplayControls({ tree, times }: { tree: Tree; times: number[] }) {
  const at = playhead.value;
  const place = at ?? tree.length;
  const before = times.findLast((time) => time < place);
  const after = times.find((time) => time > place);
  const speed = replaySpeed(tree.length);
  return (
    <div class="replay" role="group" aria-label="Replay">
      <button
        class="button"
        type="button"
        onClick={() => {
          if (playing.value) pause();
          else play(tree.length);
        }}
      >
        {playing.value ? 'Pause' : 'Play'}
      </button>
      <button
        class="button"
        type="button"
        aria-label="To the event before"
        disabled={before === undefined}
        onClick={() => {
          seek(before ?? 0);
        }}
      >
        ‹
      </button>
      <button
        class="button"
        type="button"
        aria-label="To the next event"
        disabled={after === undefined}
        onClick={() => {
          seek(after ?? tree.length);
        }}
      >
        ›
      </button>
      <input
        type="range"
        aria-label="Playhead"
        aria-valuetext={`${span(place)} of ${span(tree.length)}`}
        min={0}
        max={tree.length}
        step={Math.max(1, Math.round(tree.length / 200))}
        value={place}
        onInput={(event) => {
          seek(Number(event.currentTarget.value));
        }}
      />
      <span class="number">
        {span(place)} <span class="quiet">of {span(tree.length)}</span>
      </span>
      <span class="quiet speed">{pace(speed)}</span>
      <button class="small" type="button" disabled={at === null} onClick={endReplay}>
        Show the whole
      </button>
    </div>
  );
}

function pace(speed: number): string {
  if (Math.abs(speed - 1) < 0.01) return 'plays as it happened';
  return speed > 1 ? `plays ${speed.toFixed(1)} × as fast` : `plays ${(1 / speed).toFixed(1)} × slower`;
}

/** What was known at the playhead: the log up to there, and the newest guidance, draft and verdict. */
export function Known({ traced, tree }: { traced: Traced; tree: Tree }) {
  const at = tree.start + (playhead.value ?? tree.length);
  const moment = momentAt(traced.cycle, traced.story.events, at);
  return (
    <section class="known" aria-label="What was known">
      <p class="known-head">
        <strong>{moment.sentence}</strong>
        <br />
        <span class="quiet">
          {count(moment.happened, 'event')} of {traced.story.events.length} · {count(moment.tokens, 'token')}{' '}
          spent
        </span>
      </p>
      <Log traced={traced} tree={tree} happened={moment.happened} />
      <Newest moment={moment} cycleId={traced.cycle.cycle_id} />
    </section>
  );
}

/** The event log; a click leads the playhead there. */
function Log({ traced, tree, happened }: { traced: Traced; tree: Tree; happened: number }) {
  return (
    <ol class="log" aria-label="Event log">
      {traced.story.events.map((event, number) => {
        const time = Date.parse(event.created_at) - tree.start;
        return (
          <li key={event.seq}>
            <button
              type="button"
              class={number < happened ? '' : 'later'}
              aria-current={number === happened - 1 ? 'step' : undefined}
              onClick={() => {
                seek(time);
              }}
            >
              <span class="number">{span(time)}</span>
              <span>{sentenceOf(event)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

function Newest({ moment, cycleId }: { moment: Moment; cycleId: string }) {
  const { guidance, draft, draftBefore, verdict } = moment;
  return (
    <div class="newest">
      {guidance !== null && (
        <details class="turn beatrice">
          <summary>Guidance</summary>
          <Markdown text={guidance} />
        </details>
      )}
      {draft && (
        <details class="turn codey" open>
          <summary>Draft {draft.round}</summary>
          <Markdown text={draft.text} />
        </details>
      )}
      {draft && draftBefore && (
        <details class="turn codey">
          <summary>
            What changed from draft {draftBefore.round} to draft {draft.round}
          </summary>
          <Changes before={draftBefore.text} after={draft.text} />
        </details>
      )}
      {verdict && (
        <details class="turn beatrice" open>
          <summary>Verdict on draft {verdict.round}</summary>
          <Verdict verdict={verdict.verdict} cycleId={cycleId} />
        </details>
      )}
    </div>
  );
}
