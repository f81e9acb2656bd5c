import { useSignal } from '@preact/signals';
import { changeCauses } from '../actions/causes.ts';
import { causes, type CausalEvent, type Relation } from '../api/causes.ts';
import { graph } from '../state/causes.ts';

/** A person's word on an event: it outranks a judge's and is never overwritten by one. */
export function EventChanges({ event }: { event: CausalEvent }) {
  const doing = useSignal<'correct' | 'link' | 'remove' | null>(null);
  // Each closes only itself: the person may have opened another while the server answered.
  const close = (what: 'correct' | 'link') => () => {
    if (doing.value === what) doing.value = null;
  };
  const { event_id: id } = event;
  const open = (what: 'correct' | 'link' | 'remove') => () => {
    doing.value = doing.value === what ? null : what;
  };
  return (
    <>
      <div class="row">
        <button
          class="small"
          type="button"
          onClick={() => void changeCauses((session) => causes.confirmEvent(session, id))}
        >
          Confirm
        </button>
        <button
          class="small"
          type="button"
          aria-expanded={doing.value === 'correct'}
          onClick={open('correct')}
        >
          Correct
        </button>
        <button class="small" type="button" aria-expanded={doing.value === 'link'} onClick={open('link')}>
          Link
        </button>
        <button
          class="small danger"
          type="button"
          aria-expanded={doing.value === 'remove'}
          onClick={open('remove')}
        >
          Remove
        </button>
      </div>
      {doing.value === 'correct' && <Correct event={event} close={close('correct')} />}
      {doing.value === 'link' && <AddLink event={event} close={close('link')} />}
      {doing.value === 'remove' && (
        <div class="row">
          <span>It goes with its links, for good.</span>
          <button
            class="small danger"
            type="button"
            onClick={() => void changeCauses((session) => causes.removeEvent(session, id), 'leave')}
          >
            Yes, remove it
          </button>
        </div>
      )}
    </>
  );
}

function Correct({ event, close }: { event: CausalEvent; close: () => void }) {
  const text = useSignal(event.text);
  return (
    <form
      class="row"
      onSubmit={(submit) => {
        submit.preventDefault();
        void changeCauses((session) => causes.changeEvent(session, event.event_id, text.value.trim())).then(
          (done) => {
            if (done) close();
          },
        );
      }}
    >
      <input
        aria-label="What happened"
        maxLength={2_000}
        required
        value={text.value}
        onInput={(input) => (text.value = input.currentTarget.value)}
      />
      <button class="small" type="submit">
        Save
      </button>
    </form>
  );
}

export const PHRASES: { relation: Relation; name: string }[] = [
  { relation: 'caused', name: 'was caused by' },
  { relation: 'enabled', name: 'was made possible by' },
  { relation: 'prevented', name: 'was prevented by' },
  { relation: 'superseded', name: 'was superseded by' },
];

function AddLink({ event, close }: { event: CausalEvent; close: () => void }) {
  const relation = useSignal<Relation>('caused');
  const others = graph.value?.nodes.filter(({ event_id: id }) => id !== event.event_id) ?? [];
  const cause = useSignal(others[0]?.event_id ?? '');
  return (
    <form
      class="row"
      onSubmit={(submit) => {
        submit.preventDefault();
        const link = { cause_id: cause.value, effect_id: event.event_id, relation: relation.value };
        void changeCauses((session) => causes.addLink(session, link)).then((done) => {
          if (done) close();
        });
      }}
    >
      <span>This</span>
      <select
        aria-label="Relation"
        value={relation.value}
        onChange={(input) => (relation.value = input.currentTarget.value as Relation)}
      >
        {PHRASES.map(({ relation: value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Cause"
        value={cause.value}
        onChange={(input) => (cause.value = input.currentTarget.value)}
      >
        {others.map(({ event_id: id, text }) => (
          <option key={id} value={id}>
            {text.slice(0, 80)}
          </option>
        ))}
      </select>
      <button class="small" type="submit" disabled={cause.value === ''}>
        Add the link
      </button>
    </form>
  );
}

/** Something that happened, told by the person. */
export function AddEvent() {
  const text = useSignal('');
  return (
    <form
      class="add-event"
      onSubmit={(submit) => {
        submit.preventDefault();
        if (text.value.trim() === '') return;
        void changeCauses((session) => causes.addEvent(session, text.value.trim())).then((done) => {
          if (done) text.value = '';
        });
      }}
    >
      <input
        aria-label="Something that happened"
        placeholder="Something that happened"
        maxLength={2_000}
        value={text.value}
        onInput={(input) => (text.value = input.currentTarget.value)}
      />
      <button class="button" type="submit" disabled={text.value.trim() === ''}>
        Add
      </button>
    </form>
  );
}
