import { useSignal } from '@preact/signals';
import { changing, goToSource, loadFacts, type Change } from '../actions/learned.ts';
import { learned, type Fact, type FactWords } from '../api/learned.ts';
import { when } from '../text/words.ts';
import { Overtaken, Versions } from './versions.tsx';

const AUTHOR = { model: 'noted by the model', rule: 'noted by a rule', person: 'in your words' };

/** One fact: what it says, since when, who says so, and what the person may do with it. */
export function FactCard({ fact }: { fact: Fact }) {
  const doing = useSignal<'correct' | 'forget' | 'history' | null>(null);
  const toggle = (what: 'correct' | 'forget' | 'history') => () => {
    doing.value = doing.value === what ? null : what;
  };
  const change = (changes: Parameters<typeof learned.correctFact>[2]): Promise<Change> =>
    changing((session) => learned.correctFact(session, fact, changes), loadFacts);
  const holds = fact.valid_until === null;
  return (
    <article class={holds ? 'fact' : 'fact past'}>
      <p>
        {fact.pinned && <span class="chip">Pinned</span>} {fact.text}
      </p>
      <p class="quiet">
        {fact.subject} · {fact.attribute}: {fact.value} · {AUTHOR[fact.author]} · since{' '}
        {when(fact.valid_from)}
        {fact.valid_until === null ? '' : ` until ${when(fact.valid_until)}`}
      </p>
      <div class="row">
        <button class="small" type="button" onClick={() => void change({ pinned: !fact.pinned })}>
          {fact.pinned ? 'Unpin' : 'Pin'}
        </button>
        <button
          class="small"
          type="button"
          aria-expanded={doing.value === 'correct'}
          onClick={toggle('correct')}
        >
          Correct
        </button>
        {holds && (
          <button
            class="small"
            type="button"
            onClick={() => void change({ valid_until: new Date().toISOString() })}
          >
            No longer so
          </button>
        )}
        <button
          class="small"
          type="button"
          aria-expanded={doing.value === 'history'}
          onClick={toggle('history')}
        >
          History
        </button>
        {fact.source_turn_id !== null && (
          <button class="small" type="button" onClick={() => void goToSource(fact)}>
            Who said so
          </button>
        )}
        <button
          class="small danger"
          type="button"
          aria-expanded={doing.value === 'forget'}
          onClick={toggle('forget')}
        >
          Forget
        </button>
      </div>
      {doing.value === 'correct' && (
        <FactForm
          words={fact}
          action="Save"
          save={change}
          close={() => {
            if (doing.value === 'correct') doing.value = null;
          }}
        />
      )}
      {doing.value === 'history' && (
        <Versions
          key={fact.version}
          read={(session) => learned.factHistory(session, fact)}
          say={({ text, corrected_at: corrected }) => (
            <>
              “{text}” <span class="quiet">until {when(corrected)}</span>
            </>
          )}
        />
      )}
      {doing.value === 'forget' && (
        <div class="row" role="alert">
          <span>It goes with its history, for good. What was said in the conversation stays.</span>
          <button
            class="small danger"
            type="button"
            onClick={() => void changing((session) => learned.forgetFact(session, fact), loadFacts)}
          >
            Yes, forget it
          </button>
        </div>
      )}
    </article>
  );
}

/** The words of a fact. What was typed stays until the server has taken it. */
export function FactForm(props: {
  words: FactWords;
  action: string;
  save: (words: FactWords) => Promise<Change>;
  close: () => void;
}) {
  const subject = useSignal(props.words.subject);
  const attribute = useSignal(props.words.attribute);
  const value = useSignal(props.words.value);
  const overtaken = useSignal(false);
  const field = (name: string, of: typeof subject, placeholder: string) => (
    <label>
      {name}
      <input
        required
        value={of.value}
        placeholder={placeholder}
        onInput={(event) => {
          of.value = event.currentTarget.value;
        }}
      />
    </label>
  );
  return (
    <form
      class="learned-form"
      onSubmit={(event) => {
        event.preventDefault();
        const words = {
          subject: subject.value.trim(),
          attribute: attribute.value.trim(),
          value: value.value.trim(),
        };
        void props.save(words).then((came) => {
          overtaken.value = came === 'conflict';
          if (came === 'done') props.close();
        });
      }}
    >
      {overtaken.value && <Overtaken />}
      {field('Of whom or what', subject, 'Ana')}
      {field('What about it', attribute, 'home')}
      {field('What is so', value, 'Lyon')}
      <div class="row">
        <button class="small" type="submit">
          {props.action}
        </button>
        <button class="small" type="button" onClick={props.close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
