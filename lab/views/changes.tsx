import { diff, type Row } from '../text/diff.ts';
import { count } from '../text/words.ts';

/** Lines without a change that are shown before and after one. */
const AROUND = 2;
const SIGNS = { same: '', gone: '−', new: '+', changed: '±' } as const;

/** What changed from one text to the next: line by line, with what did not change folded away. */
export function Changes({ before, after }: { before: string; after: string }) {
  const rows = diff(before, after);
  const number = (kind: Row['kind']) => rows.filter((row) => row.kind === kind).length;
  const parts = [
    [number('changed'), 'changed'],
    [number('new'), 'added'],
    [number('gone'), 'removed'],
  ] as const;
  const said = parts.filter(([lines]) => lines > 0).map(([lines, what]) => `${count(lines, 'line')} ${what}`);
  return (
    <div class="changes" role="group" aria-label="Changes from the draft before">
      <p class="quiet">{said.length === 0 ? 'Nothing changed.' : `${said.join(', ')}.`}</p>
      {said.length > 0 && (
        <div class="changes-text">
          {folds(rows).map(({ rows: some, folded }, at) =>
            folded ? (
              <details key={at}>
                <summary>{count(some.length, 'unchanged line')}</summary>
                <Lines rows={some} />
              </details>
            ) : (
              <Lines key={at} rows={some} />
            ),
          )}
        </div>
      )}
    </div>
  );
}

function Lines({ rows }: { rows: Row[] }) {
  return (
    <>
      {rows.map(({ kind, pieces }, at) => (
        <div key={at} class={`change-line ${kind}`}>
          <span class="sign" aria-hidden="true">
            {SIGNS[kind]}
          </span>
          <span>
            {pieces.map((piece, number) =>
              piece.kind === 'same' ? (
                <span key={number}>{piece.text}</span>
              ) : piece.kind === 'gone' ? (
                <del key={number}>{piece.text}</del>
              ) : (
                <ins key={number}>{piece.text}</ins>
              ),
            )}
          </span>
        </div>
      ))}
    </>
  );
}

/** The rows in runs: those that did not change and stand away from a change are folded. */
function folds(rows: Row[]): { rows: Row[]; folded: boolean }[] {
  const near = rows.map((_, at) =>
    rows.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ kind }) => kind !== 'same'),
  );
  const runs: { rows: Row[]; folded: boolean }[] = [];
  for (const [at, row] of rows.entries()) {
    const folded = near[at] !== true;
    const last = runs.at(-1);
    if (last?.folded === folded) last.rows.push(row);
    else runs.push({ rows: [row], folded });
  }
  // One line takes no more room than the word that it is folded.
  return runs.map((run) => (run.rows.length === 1 ? { ...run, folded: false } : run));
}
