import { diff } from '../text/diff.ts';

/** What changed from one text to the next. */
export function Changes({ before, after }: { before: string; after: string }) {
  return (
    <div class="body typed" role="group" aria-label="Changes from the draft before">
      {diff(before, after).map(({ kind, text }, at) =>
        kind === 'same' ? (
          <span key={at}>{text}</span>
        ) : kind === 'gone' ? (
          <del key={at}>{text}</del>
        ) : (
          <ins key={at}>{text}</ins>
        ),
      )}
    </div>
  );
}
