import { goToTurn } from '../actions/paging.ts';
import type { ContextTurn, UsedContext } from '../api/types.ts';
import { inspected, story } from '../state/model.ts';
import { count, when } from '../text/words.ts';

const SOURCES: Record<string, string> = {
  recent: 'just said',
  lexical: 'same words',
  dense: 'same meaning',
  neighbour: 'beside a match',
};

/** What memory put into the prompt of the directive, and why each turn was chosen. */
export function ContextPanel() {
  const used = (inspected.value?.story ?? story.value)?.context;
  if (!used) {
    return <p class="quiet">After a directive, this shows what memory added to it, and why.</p>;
  }
  if (used.turns.length === 0 && (used.sections ?? []).length === 0) {
    return <p class="quiet">Nothing in memory bore on this directive.</p>;
  }
  return (
    <>
      <p class="quiet">
        Memory added {count(used.tokens, 'token')}
        {used.omitted_turns > 0 && `; ${count(used.omitted_turns, 'more turn')} found`}.
      </p>
      <Sections sections={withFrame(used)} />
      <ol class="remembered">
        {used.turns.map((turn) => (
          <Remembered key={turn.turn_id} turn={turn} />
        ))}
      </ol>
      {used.prompt && (
        <details>
          <summary>As the model was sent it</summary>
          <pre class="raw" tabIndex={0}>
            {used.prompt}
          </pre>
        </details>
      )}
    </>
  );
}

/** The sections, and what stands around them, so that the figures add up. */
function withFrame({ tokens, sections = [] }: UsedContext): { name: string; tokens: number }[] {
  const frame = tokens - sections.reduce((sum, section) => sum + section.tokens, 0);
  return frame > 0 && sections.length > 0 ? [...sections, { name: 'frame', tokens: frame }] : sections;
}

function Sections({ sections }: { sections: { name: string; tokens: number }[] }) {
  const most = Math.max(1, ...sections.map(({ tokens }) => tokens));
  if (sections.length === 0) return null;
  return (
    <table class="sections">
      <caption class="visually-hidden">Tokens of each section</caption>
      <tbody>
        {sections.map(({ name, tokens }) => (
          <tr key={name}>
            <th scope="row">{name.replaceAll('_', ' ')}</th>
            <td class="meter-cell">
              <Meter part={tokens / most} />
            </td>
            <td class="number">{tokens.toLocaleString()}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Meter({ part }: { part: number }) {
  return (
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.round(Math.min(1, part) * 100)} height="4" />
    </svg>
  );
}

function Remembered({ turn }: { turn: ContextTurn }) {
  const parts = Object.entries(turn.parts);
  return (
    <li>
      <div class="quiet">
        <strong class={turn.agent}>{turn.speaker ?? turn.agent}</strong> · {when(turn.timestamp)}
      </div>
      <div class="score">
        <span class="chip">{SOURCES[turn.source] ?? turn.source}</span>
        <Meter part={turn.score} />
        <span class="number">{turn.score.toFixed(2)}</span>
      </div>
      <div class="said">{turn.content}</div>
      {parts.length > 0 && (
        <details>
          <summary>Why this score</summary>
          <table class="sections">
            <tbody>
              {parts.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name.replaceAll('_', ' ')}</th>
                  <td class="number">{Number.isInteger(value) ? value : value.toFixed(3)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      <button
        class="small"
        type="button"
        onClick={() => void goToTurn(turn.turn_id, turn.conversation_id, turn.turn_number ?? null)}
      >
        Go to this turn
      </button>
    </li>
  );
}
