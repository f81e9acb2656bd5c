import type { CycleView } from '../api/types.ts';
import type { Traced } from '../state/trace.ts';
import type { Tree } from '../trace/tree.ts';
import { count, outcomeName, span, when } from '../text/words.ts';
import { Changes } from './changes.tsx';

export interface Side {
  traced: Traced;
  tree: Tree;
}

/** Two cycles in figures, and how their answers differ. */
export function Comparison({ left, right }: { left: Side; right: Side }) {
  const rows: [string, (side: Side) => string][] = [
    ['Directive', ({ traced }) => shortened(traced.story.directive)],
    ['Begun', ({ traced }) => when(traced.cycle.created_at)],
    ['Outcome', ({ traced }) => (traced.cycle.outcome ? outcomeName(traced.cycle.outcome) : 'At work')],
    ['Drafts', ({ traced }) => String(traced.cycle.rounds)],
    ['Calls', ({ traced }) => String(traced.cycle.steps.length)],
    ['Tokens', ({ tree }) => (tree.branches[0]?.tokens ?? 0).toLocaleString()],
    ['Beatrice', ({ traced }) => tokensBy(traced.cycle, 'beatrice')],
    ['Codey', ({ traced }) => tokensBy(traced.cycle, 'codey')],
    ['Work', ({ tree }) => span(tree.branches[0]?.ms ?? 0)],
    ['From begin to end', ({ tree }) => span(tree.length)],
    ['Models', ({ traced }) => modelsOf(traced.cycle)],
  ];
  const [before, after] = [finalText(left.traced), finalText(right.traced)];
  return (
    <section class="comparison" aria-label="The two cycles in figures">
      <table class="sections">
        <thead>
          <tr>
            <td />
            <th scope="col">Left</th>
            <th scope="col">Right</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, of]) => {
            const [a, b] = [of(left), of(right)];
            return (
              <tr key={name} class={a === b ? '' : 'differs'}>
                <th scope="row">{name}</th>
                <td>{a}</td>
                <td>{b}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {before !== '' && after !== '' && (
        <details>
          <summary>How the right answer differs from the left one</summary>
          <Changes before={before} after={after} />
        </details>
      )}
    </section>
  );
}

function finalText({ story }: Traced): string {
  return story.ended?.answer ?? '';
}

function tokensBy({ usage_by_agent: usage }: CycleView, agent: 'beatrice' | 'codey'): string {
  return count(usage[agent]?.total_tokens ?? 0, 'token');
}

function modelsOf({ steps }: CycleView): string {
  return [...new Set(steps.map(({ input }) => String(input['model'] ?? '')))].filter(Boolean).join(', ');
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
