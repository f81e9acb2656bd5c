import { useSignal } from '@preact/signals';
import type { Change } from '../actions/learned.ts';
import type { LessonWords } from '../api/learned.ts';
import { Overtaken } from './versions.tsx';

/** The words of a lesson. What was typed stays until the server has taken it. */
export function LessonForm(props: {
  words: LessonWords;
  action: string;
  save: (words: LessonWords) => Promise<Change>;
  close: () => void;
}) {
  const text = useSignal(props.words.text);
  const trigger = useSignal(props.words.trigger);
  const overtaken = useSignal(false);
  return (
    <form
      class="learned-form"
      onSubmit={(event) => {
        event.preventDefault();
        const words = { text: text.value.trim(), trigger: trigger.value.trim() };
        void props.save(words).then((came) => {
          overtaken.value = came === 'conflict';
          if (came === 'done') props.close();
        });
      }}
    >
      {overtaken.value && <Overtaken />}
      <label>
        What to keep in mind
        <textarea
          rows={2}
          required
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      <label>
        For what kind of work
        <input
          value={trigger.value}
          placeholder="Empty: its own words say it"
          onInput={(event) => {
            trigger.value = event.currentTarget.value;
          }}
        />
      </label>
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
