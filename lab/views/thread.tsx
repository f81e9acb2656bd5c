import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { goTo, loadEarlier, loadLater } from '../actions/paging.ts';
import {
  conversationId,
  firstTurn,
  laterTurn,
  loading,
  markedTurnId,
  running,
  sessionId,
  stateLine,
  turnCount,
  turns,
  type ShownTurn,
} from '../state/model.ts';
import { Outcome } from './outcome.tsx';
import { Starters } from './starters.tsx';
import { TurnCard } from './turn-card.tsx';

/** How near the end counts as reading along, in pixels. */
const NEAR_END = 120;
/** How near the first or last loaded turn the next ones are read, in pixels: about two screens. */
const NEAR_EDGE = 1_500;

/** What the reader looks at: a turn, and how far below the upper edge it begins, in pixels. */
interface Anchor {
  key: string;
  top: number;
}

/** The conversation. It follows what is being written as long as the reader is at its end. */
export function Thread() {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const anchor = useRef<Anchor | null>(null);
  const lastPlace = useRef<string | null>(null);
  const shown = turns.value;
  const toEnd = laterTurn.value === null;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (following.current) showEnd(element);
    // Turns came or went above: what the reader looks at stays where it is.
    else if (anchor.current) element.scrollTop += moved(element, anchor.current);
  }, [shown]);

  // A new place or a directive of one's own leads to the end, wherever the reader was.
  const busy = running.value !== null;
  const place = conversationId.value;
  useLayoutEffect(() => {
    // The end of a cycle is no reason to leave what is being read.
    if (!busy && place === lastPlace.current) return;
    lastPlace.current = place;
    following.current = true;
    if (box.current) showEnd(box.current);
  }, [busy, place]);

  const marked = markedTurnId.value;
  useLayoutEffect(() => {
    if (marked === null || !box.current) return;
    const element = box.current.querySelector<HTMLElement>(`[data-turn="${CSS.escape(marked)}"]`);
    following.current = false;
    element?.scrollIntoView({ block: 'center' });
    element?.focus({ preventScroll: true });
    // Turns that come in before the scrolling is reported must not lead back to where the reader was.
    anchor.current = anchorOf(box.current);
  }, [marked]);

  // The window, the text box or the outcome changes its size: the end stays in sight. Turns that are unfolded do not count.
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const watcher = new ResizeObserver(() => {
      if (following.current) showEnd(element);
    });
    watcher.observe(element);
    const outcome = element.querySelector(':scope > .outcome');
    if (outcome) watcher.observe(outcome);
    return () => {
      watcher.disconnect();
    };
  }, [toEnd]);

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    following.current = below < NEAR_END && laterTurn.value === null;
    anchor.current = anchorOf(element);
    if (element.scrollTop < NEAR_EDGE && firstTurn.value > 1) void loadEarlier();
    else if (below < NEAR_EDGE && laterTurn.value !== null) void loadLater();
  };

  return (
    <div class="thread" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label="Conversation">
      {firstTurn.value > 1 && (
        <p class="beyond">
          <button class="button" type="button" onClick={() => void loadEarlier()}>
            Earlier turns ({firstTurn.value - 1})
          </button>
          <button class="button" type="button" onClick={() => void goTo('beginning')}>
            To the beginning
          </button>
        </p>
      )}
      {shown.length === 0 ? !loading.value && <Welcome /> : <Turns shown={shown} />}
      {toEnd ? <Outcome /> : <Later />}
    </div>
  );
}

/** The end is not loaded: how much there is until it, and the way there. */
function Later() {
  return (
    <div class="beyond later">
      <button class="button" type="button" onClick={() => void loadLater()}>
        Later turns ({Math.max(1, turnCount.value - (laterTurn.value ?? 1) + 1)})
      </button>
      <button class="button" type="button" onClick={() => void goTo('end')}>
        To the end
      </button>
      {stateLine.value !== '' && <span class="quiet">{stateLine.value}</span>}
    </div>
  );
}

const turnsIn = (element: HTMLElement) => element.querySelector('ol')?.children ?? [];

/** Where nothing has been said yet, what stands there is read from its beginning. */
function showEnd(element: HTMLElement): void {
  if (turnsIn(element).length > 0) element.scrollTop = element.scrollHeight;
}

/** The first turn that reaches below the upper edge. */
function anchorOf(element: HTMLElement): Anchor | null {
  const edge = element.getBoundingClientRect().top;
  const items = turnsIn(element);
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  const item = items[low];
  const key = item?.getAttribute('data-key');
  return item && key ? { key, top: item.getBoundingClientRect().top - edge } : null;
}

/** How far the anchor has moved since it was taken, in pixels. */
function moved(element: HTMLElement, { key, top }: Anchor): number {
  const item = [...turnsIn(element)].find((each) => each.getAttribute('data-key') === key);
  return item ? item.getBoundingClientRect().top - element.getBoundingClientRect().top - top : 0;
}

function Turns({ shown }: { shown: ShownTurn[] }) {
  const drafts = new Map<string, ShownTurn>();
  const answered = new Set(
    shown.filter(({ kind }) => kind === 'answer').map(({ cycleId, round }) => draftKey(cycleId, round)),
  );
  return (
    <ol aria-busy={shown.some(({ live }) => live)}>
      {shown.map((turn) => {
        const isDraft = turn.kind === 'draft' && turn.cycleId !== null;
        const before = isDraft ? (drafts.get(turn.cycleId ?? '') ?? null) : null;
        if (isDraft) drafts.set(turn.cycleId ?? '', turn);
        const delivered = isDraft && answered.has(draftKey(turn.cycleId, turn.round));
        return <TurnCard key={turn.key} turn={turn} before={before} delivered={delivered} />;
      })}
    </ol>
  );
}

function draftKey(cycleId: string | null, round: number | null): string {
  return `${cycleId ?? ''}:${String(round)}`;
}

function Welcome() {
  return (
    <div class="welcome">
      <h2>{sessionId.value ? 'A new conversation' : 'Give a directive'}</h2>
      <p>
        Beatrice guides, Codey does the work, Beatrice reviews it. What is said here is remembered in this
        session, also after a restart.
      </p>
      <Starters />
    </div>
  );
}
