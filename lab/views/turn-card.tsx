import { useState } from 'preact/hooks';
import { goToTurn } from '../actions/paging.ts';
import { inspect } from '../actions/story.ts';
import { addressOf } from '../state/location.ts';
import {
  conversationId,
  inspected,
  markedTurnId,
  running,
  sessionId,
  story,
  type ShownTurn,
} from '../state/model.ts';
import { when } from '../text/words.ts';
import { Changes } from './changes.tsx';
import { Markdown } from './markdown.tsx';
import { Verdict, VerdictInTheMaking } from './verdict.tsx';

const NAMES = { wykeve: 'Wykeve', beatrice: 'Beatrice', codey: 'Codey' } as const;

interface Props {
  turn: ShownTurn;
  /** The draft before this one, in the same cycle. */
  before: ShownTurn | null;
  /** Its text stands below as the answer, so it need not be shown twice. */
  delivered: boolean;
}

/** One turn of one agent. The text of a model is never markup of its own making. */
export function TurnCard({ turn, before, delivered }: Props) {
  const [shown, show] = useState<'text' | 'changes' | null>(null);
  const marked = turn.turnId !== null && turn.turnId === markedTurnId.value;
  // Who was led to a draft sees it, also when the answer says the same.
  const view = shown ?? (delivered && !marked ? null : 'text');
  const toggle = (to: 'text' | 'changes') => () => {
    show(view === to ? (to === 'changes' ? 'text' : null) : to);
  };
  // The panels show the last cycle; of earlier ones they show what is asked for.
  const inspectable =
    turn.kind === 'answer' &&
    turn.cycleId !== null &&
    turn.cycleId !== (inspected.value?.story ?? story.value)?.cycleId &&
    running.value === null;
  const canCompare = before !== null && !turn.live;
  return (
    <li data-key={turn.key}>
      <article
        class={`turn ${turn.agent} ${turn.kind}${turn.live ? ' live' : ''}${marked ? ' marked' : ''}`}
        data-kind={turn.kind}
        data-turn={turn.turnId ?? undefined}
        tabIndex={marked ? -1 : undefined}
        aria-label={`${NAMES[turn.agent]}, ${turn.kind}`}
      >
        <header>
          <span class="who">{turn.speaker ?? NAMES[turn.agent]}</span>
          <span class="what">
            {turn.kind}
            {turn.round !== null && turn.kind !== 'guidance' && ` · round ${String(turn.round)}`}
          </span>
          {turn.number !== null && turn.turnId !== null && <LinkTo turn={turn} number={turn.number} />}
          {turn.when && (
            <time class="what" dateTime={turn.when}>
              {when(turn.when)}
            </time>
          )}
          <span class="turn-tools">
            {inspectable && (
              <button
                class="small"
                type="button"
                onClick={() => {
                  if (turn.cycleId === story.value?.cycleId) inspected.value = null;
                  else void inspect(turn.cycleId ?? '');
                }}
              >
                Look inside
              </button>
            )}
            {canCompare && (
              <button
                class="small"
                type="button"
                aria-pressed={view === 'changes'}
                onClick={toggle('changes')}
              >
                Changes
              </button>
            )}
            {delivered && (
              <button class="small" type="button" aria-expanded={view !== null} onClick={toggle('text')}>
                {view === null ? 'Show' : 'Hide'}
              </button>
            )}
          </span>
        </header>
        {delivered && view === null && <p class="quiet">Delivered as the answer below.</p>}
        {view === 'changes' && before && <Changes before={before.text} after={turn.text} />}
        {view === 'text' && <Body turn={turn} />}
        {turn.checks.some(({ passed }) => !passed) && (
          <ul class="issues" aria-label="Failed checks">
            {turn.checks
              .filter(({ passed }) => !passed)
              .map(({ name, detail }) => (
                <li key={name}>
                  <span class="chip blocker">check</span>
                  <span>{detail}</span>
                </li>
              ))}
          </ul>
        )}
      </article>
    </li>
  );
}

/** An address that leads to this turn, for a bookmark or another person. */
function LinkTo({ turn, number }: { turn: ShownTurn; number: number }) {
  const place = { sessionId: sessionId.value, conversationId: conversationId.value, turn: number };
  return (
    <a
      class="what"
      href={addressOf(place)}
      title="Link to this turn"
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        void goToTurn(turn.turnId ?? '', place.conversationId ?? '', number);
      }}
    >
      #{number}
    </a>
  );
}

function Body({ turn }: { turn: ShownTurn }) {
  if (turn.kind === 'verdict') {
    if (turn.live) return <VerdictInTheMaking text={turn.text} />;
    if (turn.verdict) return <Verdict verdict={turn.verdict} cycleId={turn.cycleId} />;
  }
  // What a person typed is shown as it was typed.
  if (turn.agent === 'wykeve') return <div class="body typed">{turn.text}</div>;
  return (
    <div class="body">
      <Markdown text={turn.text} />
    </div>
  );
}
