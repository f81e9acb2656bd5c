import { focusComposer } from '../actions/places.ts';
import { openSession } from '../state/model.ts';
import { draft, keepDraft } from '../state/draft.ts';

/** Three first directives, each of which shows something, with the rehearsal model too. */
const STARTERS = [
  { title: 'Tell a fact', text: 'My sister Ana is allergic to peanuts.' },
  { title: 'Then ask for it in another conversation', text: 'What should I not cook for Ana?' },
  {
    // The rehearsal's first draft has one point of the three, and is sent back.
    title: 'See a draft sent back and revised',
    text: 'The garden party is on Saturday. Leo eats no meat. Leo brings lemonade. Plan the garden party with Leo in three points.',
  },
];

/** Directives to begin with. They go into the text box, not to the server; what was typed there is not overwritten. */
export function Starters() {
  const typed = draft.value.trim();
  if (typed !== '' && !STARTERS.some(({ text }) => text === typed)) return null;
  if (openSession.value?.status === 'archived') return null;
  return (
    <ul class="starters" aria-label="Directives to begin with">
      {STARTERS.map(({ title, text }) => (
        <li key={title}>
          <button
            class="starter"
            type="button"
            onClick={() => {
              keepDraft(text);
              focusComposer();
            }}
          >
            <strong>{title}</strong>
            <span>{text}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
