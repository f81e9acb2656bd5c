import { useEffect, useRef } from 'preact/hooks';
import { sessionId, stateLine, turns } from '../state/model.ts';
import { TurnCard } from './turn-card.tsx';

/** How near the end counts as reading along, in pixels. */
const NEAR_END = 120;

/** The conversation. It follows what is being written as long as the reader is at its end. */
export function Thread() {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const shown = turns.value;

  useEffect(() => {
    if (box.current && following.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);

  const onScroll = () => {
    const element = box.current;
    if (element)
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
  };

  return (
    <div class="thread" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label="Conversation">
      {shown.length === 0 ? (
        <Welcome />
      ) : (
        <ol>
          {shown.map((turn) => (
            <TurnCard key={turn.key} turn={turn} />
          ))}
        </ol>
      )}
      <p class="outcome" role="status">
        {stateLine.value}
      </p>
    </div>
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
