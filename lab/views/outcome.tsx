import { useSignal } from '@preact/signals';
import { decide, resumeCycle } from '../actions/follow.ts';
import { sendDirective } from '../actions/send.ts';
import { connected, cycle, running, stateLine, story } from '../state/model.ts';
import { UPSTREAM_REFUSES, upstreamRefuses } from '../state/key.ts';
import { closed, count, outcomeName } from '../text/words.ts';
import { faultStatus } from '../trace/fault.ts';

/** What happens right now, or how it ended and what can be done about it. */
export function Outcome() {
  return (
    <div class="outcome">
      <p role="status">
        <EndChip />
        {sentence()}
      </p>
      {running.value?.cycleId && <Progress />}
      {!running.value && <NextStep />}
    </div>
  );
}

function sentence(): string {
  if (running.value && !connected.value) return 'The connection broke. The page connects again by itself …';
  if (running.value || stateLine.value !== '') return stateLine.value;
  const current = story.value;
  if (current?.interrupted) return 'This cycle was interrupted: the server stopped in the middle of it.';
  if (!current?.ended) return '';
  // The chip says the outcome; the reason need not begin with it.
  const reason = closed(current.ended.reason.replace(/^Approved( with minor notes)?\.\s*/, ''));
  const view = cycle.value;
  // The key may have been put right since.
  const refused = upstreamRefuses.value && view?.cycle_id === current.cycleId && faultStatus(view) === 401;
  return refused ? `${UPSTREAM_REFUSES} ${reason}` : reason;
}

const GOOD = ['approved', 'approved_with_notes'];

function EndChip() {
  const ended = story.value?.ended;
  if (!ended || running.value || stateLine.value !== '') return null;
  return (
    <span class={GOOD.includes(ended.outcome) ? 'chip approve' : 'chip revise'}>
      {outcomeName(ended.outcome)}
    </span>
  );
}

function Progress() {
  const view = cycle.value;
  if (!view) return null;
  const drafts = Math.max(1, view.max_rounds + 1);
  const used = Object.values(view.usage_by_agent).reduce((sum, usage) => sum + usage.total_tokens, 0);
  const budget = view.max_total_tokens;
  return (
    <div class="progress">
      <label>
        <span>
          {count(view.rounds, 'draft')} of at most {drafts}
        </span>
        <progress max={drafts} value={view.rounds} />
      </label>
      <label>
        <span>
          {budget === null
            ? `${count(used, 'token')} used`
            : `${count(used, 'token')} of ${budget.toLocaleString()}`}
        </span>
        {budget !== null && <progress max={budget} value={Math.min(used, budget)} />}
      </label>
    </div>
  );
}

const AGAIN = ['client_cancelled', 'upstream_error', 'time_budget', 'review_unavailable'];

function NextStep() {
  const current = story.value;
  if (!current) return null;
  if (current.interrupted || current.ended?.outcome === 'drained') {
    return (
      <button class="button primary" type="button" onClick={() => void resumeCycle()}>
        Resume
      </button>
    );
  }
  const outcome = current.ended?.outcome ?? '';
  if (outcome === 'awaiting_decision') return <Decision />;
  if (!AGAIN.includes(outcome)) return null;
  return (
    <button class="button" type="button" onClick={() => void sendDirective(current.directive)}>
      Ask again
    </button>
  );
}

/** Beatrice leaves it to the person: deliver the draft, drop it, or say how to go on. */
function Decision() {
  const text = useSignal('');
  const say = (decision: 'approve' | 'reject' | 'steer') => () => void decide(decision, text.value.trim());
  return (
    <form
      class="decision"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.value.trim() !== '') say('steer')();
      }}
    >
      <label for="decision">Your word to Codey and Beatrice</label>
      <textarea
        id="decision"
        rows={2}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <div class="row">
        <button class="button primary" type="button" onClick={say('approve')}>
          Deliver this draft
        </button>
        <button class="button" type="submit" disabled={text.value.trim() === ''}>
          Revise like this
        </button>
        <button class="button danger" type="button" onClick={say('reject')}>
          Drop it
        </button>
      </div>
    </form>
  );
}
