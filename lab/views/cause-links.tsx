import { useSignal } from '@preact/signals';
import { changeCauses } from '../actions/causes.ts';
import { causes, type CausalEvent, type CausalLink, type Relation } from '../api/causes.ts';
import { graph } from '../state/causes.ts';
import { PHRASES } from './cause-changes.tsx';

/** The links of the chosen event, each with who says so, how sure and why. */
export function Links({ event, links }: { event: CausalEvent; links: CausalLink[] }) {
  const own = links.filter((link) => link.cause_id === event.event_id || link.effect_id === event.event_id);
  if (own.length === 0) return null;
  return (
    <ul class="issues" aria-label="Links">
      {own.map((link) => (
        <OneLink key={link.link_id} event={event} link={link} />
      ))}
    </ul>
  );
}

function OneLink({ event, link }: { event: CausalEvent; link: CausalLink }) {
  const correcting = useSignal(false);
  const { link_id: id, explanation } = link;
  const text = (eventId: string) =>
    graph.value?.nodes.find((node) => node.event_id === eventId)?.text ?? 'an event';
  return (
    <li>
      <span class="chip">{link.relation}</span>
      <span>
        {link.cause_id === event.event_id ? `→ ${text(link.effect_id)}` : `← ${text(link.cause_id)}`}{' '}
        <span class="quiet">
          {Math.round(link.confidence * 100)} % sure, by a {link.judged_by}
          {explanation !== '' && `: ${explanation}`}
        </span>
        <span class="row">
          {(link.judged_by !== 'person' || link.confidence < 1) && (
            <button
              class="small"
              type="button"
              onClick={() => void changeCauses((session) => causes.confirmLink(session, id))}
            >
              Confirm the link
            </button>
          )}
          <button
            class="small"
            type="button"
            aria-expanded={correcting.value}
            onClick={() => (correcting.value = !correcting.value)}
          >
            Correct the link
          </button>
          <button
            class="small danger"
            type="button"
            onClick={() => void changeCauses((session) => causes.removeLink(session, id))}
          >
            Remove the link
          </button>
        </span>
        {correcting.value && <CorrectLink link={link} close={() => (correcting.value = false)} />}
      </span>
    </li>
  );
}

/** What joins the two, how sure that is, and why. */
function CorrectLink({ link, close }: { link: CausalLink; close: () => void }) {
  const relation = useSignal<Relation>(link.relation);
  const percent = useSignal(Math.round(link.confidence * 100));
  const explanation = useSignal(link.explanation);
  return (
    <form
      class="correct-link"
      onSubmit={(submit) => {
        submit.preventDefault();
        const change = {
          relation: relation.value,
          confidence: percent.value / 100,
          explanation: explanation.value.trim(),
        };
        void changeCauses((session) => causes.changeLink(session, link.link_id, change)).then((done) => {
          if (done) close();
        });
      }}
    >
      <label>
        The effect
        <select
          value={relation.value}
          onChange={(input) => (relation.value = input.currentTarget.value as Relation)}
        >
          {PHRASES.map(({ relation: value, name }) => (
            <option key={value} value={value}>
              {name} the cause
            </option>
          ))}
        </select>
      </label>
      <label>
        Sure, in percent
        <input
          type="number"
          min={0}
          max={100}
          required
          value={percent.value}
          onInput={(input) => (percent.value = input.currentTarget.valueAsNumber)}
        />
      </label>
      <label class="wide">
        Because
        <input
          maxLength={1_000}
          value={explanation.value}
          onInput={(input) => (explanation.value = input.currentTarget.value)}
        />
      </label>
      <div class="row wide">
        <button class="small" type="submit">
          Save the link
        </button>
        <button class="small" type="button" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
