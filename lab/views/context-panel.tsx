import { openPanel, usedContext, type RememberedTurn } from '../state/model.ts';
import { when } from './time.ts';

/** What memory put into the prompt of the last directive, and why each turn was chosen. */
export function ContextPanel() {
  const used = usedContext.value;
  return (
    <aside
      class={openPanel.value === 'context' ? 'context open' : 'context'}
      aria-label="Context that was used"
    >
      <div class="panel-title">
        <h2>Context</h2>
        {used && <span class="quiet">{used.tokens} tokens</span>}
      </div>
      {!used || used.turns.length === 0 ? (
        <p class="quiet">
          {used
            ? 'Nothing in memory bore on this directive.'
            : 'After a directive, this shows what memory added to it.'}
        </p>
      ) : (
        <ol class="remembered">
          {used.turns.map((turn) => (
            <Remembered key={turn.turnId} turn={turn} />
          ))}
        </ol>
      )}
    </aside>
  );
}

function Remembered({ turn }: { turn: RememberedTurn }) {
  const percent = Math.round(turn.score * 100);
  return (
    <li>
      <div class="quiet">
        {turn.speaker ?? turn.agent} · {when(turn.timestamp)} · {turn.source} · {percent} %
      </div>
      <div class="meter" aria-hidden="true">
        <svg viewBox="0 0 100 4" preserveAspectRatio="none">
          <rect width={percent} height="4" />
        </svg>
      </div>
      <div class="said">{turn.content}</div>
    </li>
  );
}
