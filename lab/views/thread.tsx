import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { loadEarlier } from '../actions/places.ts';
import {
  conversationId,
  firstTurn,
  loading,
  markedTurnId,
  running,
  sessionId,
  turns,
  type ShownTurn,
} from '../state/model.ts';
import { Outcome } from './outcome.tsx';
import { TurnCard } from './turn-card.tsx';

/** How near the end counts as reading along, in pixels. */
const NEAR_END = 120;

/** The conversation. It follows what is being written as long as the reader is at its end. */
export function Thread() {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const height = useRef(0);
  const lastPlace = useRef<string | null>(null);
  const top = useRef<string | undefined>(undefined);
  const shown = turns.value;
  const first = shown[0]?.key;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (following.current) element.scrollTop = element.scrollHeight;
    // Earlier turns came in above: what the reader looks at stays where it is.
    else if (first !== top.current) element.scrollTop += element.scrollHeight - height.current;
    top.current = first;
    height.current = element.scrollHeight;
  }, [shown]);

  // A new place or a directive of one's own leads to the end, wherever the reader was.
  const busy = running.value !== null;
  const place = conversationId.value;
  useLayoutEffect(() => {
    // The end of a cycle is no reason to leave what is being read.
    if (!busy && place === lastPlace.current) return;
    lastPlace.current = place;
    following.current = true;
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [busy, place]);

  const marked = markedTurnId.value;
  useEffect(() => {
    if (marked === null) return;
    following.current = false;
    const element = box.current?.querySelector<HTMLElement>(`[data-turn="${CSS.escape(marked)}"]`);
    element?.scrollIntoView({ block: 'center' });
    element?.focus({ preventScroll: true });
  }, [marked]);

  // The window or the text box changes its size: the end stays in sight.
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const watcher = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
    };
  }, []);

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
    height.current = element.scrollHeight;
  };

  return (
    <div class="thread" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label="Conversation">
      {firstTurn.value > 1 && (
        <p class="earlier">
          <button class="button" type="button" onClick={() => void loadEarlier()}>
            Earlier turns ({firstTurn.value - 1})
          </button>
        </p>
      )}
      {shown.length === 0 ? !loading.value && <Welcome /> : <Turns shown={shown} />}
      <Outcome />
    </div>
  );
}

function Turns({ shown }: { shown: ShownTurn[] }) {
  return (
    <ol aria-busy={shown.some(({ live }) => live)}>
      {shown.map((turn, at) => {
        const ofCycle = (other: ShownTurn) => turn.cycleId !== null && other.cycleId === turn.cycleId;
        const isDraft = turn.kind === 'draft';
        const before = isDraft
          ? (shown.slice(0, at).findLast((other) => other.kind === 'draft' && ofCycle(other)) ?? null)
          : null;
        const delivered =
          isDraft &&
          shown
            .slice(at)
            .some((other) => other.kind === 'answer' && ofCycle(other) && other.round === turn.round);
        return <TurnCard key={turn.key} turn={turn} before={before} delivered={delivered} />;
      })}
    </ol>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <h2>{sessionId.value ? 'A new conversation' : 'Give a directive'}</h2>
      <p>
        Beatrice guides, Codey does the work, Beatrice reviews it. What is said here is remembered in this
        session, also after a restart.
      </p>
    </div>
  );
}
