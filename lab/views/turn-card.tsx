import type { ShownTurn } from '../state/model.ts';
import { when } from './time.ts';
import { parseVerdict, Verdict } from './verdict.tsx';

const NAMES = { wykeve: 'Wykeve', beatrice: 'Beatrice', codey: 'Codey' } as const;
const KINDS: Record<string, string> = {
  directive: 'directive',
  guidance: 'guidance',
  draft: 'draft',
  verdict: 'verdict',
  answer: 'answer',
  message: 'message',
  tool: 'tool',
};

/** One turn of one agent. The text of a model is always text, never markup. */
export function TurnCard({ turn }: { turn: ShownTurn }) {
  const verdict = turn.kind === 'verdict' && !turn.live ? parseVerdict(turn.text) : null;
  return (
    <li>
      <article class={`turn ${turn.agent} ${turn.kind}${turn.live ? ' live' : ''}`} data-kind={turn.kind}>
        <header>
          <span class="who">{NAMES[turn.agent]}</span>
          <span class="what">
            {KINDS[turn.kind] ?? turn.kind}
            {turn.round === null ? '' : ` · round ${String(turn.round)}`}
          </span>
          {turn.when && <time class="what">{when(turn.when)}</time>}
        </header>
        {verdict ? <Verdict verdict={verdict} /> : <div class="body">{turn.text}</div>}
      </article>
    </li>
  );
}
