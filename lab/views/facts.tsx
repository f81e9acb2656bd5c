import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { changing, loadFacts } from '../actions/learned.ts';
import { learned } from '../api/learned.ts';
import { facts, moreFacts, withPast } from '../state/learned.ts';
import { running, sessionId } from '../state/model.ts';
import { FactCard, FactForm } from './fact-card.tsx';

/** What is known of people in this session: what holds, and what held once. */
export function Facts() {
  const [session, past, atWork] = [sessionId.value, withPast.value, running.value !== null];
  const adding = useSignal(false);
  const wanted = useSignal('');
  useEffect(() => {
    facts.value = null;
    moreFacts.value = null;
  }, [session, past]);
  useEffect(() => void loadFacts(), [session, past, atWork]);
  if (session === null) {
    return (
      <p class="welcome" role="status">
        Open a session to see what is known in it.
      </p>
    );
  }
  const words = wanted.value.trim().toLowerCase();
  const all = facts.value ?? [];
  const shown = all.filter(({ subject, attribute, value, text }) =>
    [subject, attribute, value, text].some((each) => each.toLowerCase().includes(words)),
  );
  return (
    <div class="learned" tabIndex={0} role="region" aria-label="Facts">
      <div class="row">
        <input
          type="search"
          aria-label="Find a fact"
          placeholder="Find a fact"
          value={wanted.value}
          onInput={(event) => {
            wanted.value = event.currentTarget.value;
          }}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={past}
            onChange={(event) => {
              withPast.value = event.currentTarget.checked;
            }}
          />
          With what held once
        </label>
        <button
          class="small"
          type="button"
          aria-expanded={adding.value}
          onClick={() => (adding.value = !adding.value)}
        >
          Add a fact
        </button>
      </div>
      {adding.value && (
        <FactForm
          words={{ subject: '', attribute: '', value: '' }}
          action="Add the fact"
          save={(given) => changing((id) => learned.addFact(id, given), loadFacts)}
          close={() => (adding.value = false)}
        />
      )}
      {facts.value && shown.length === 0 && (
        <p class="welcome" role="status">
          {all.length > 0
            ? 'No fact that is shown has these words.'
            : 'No facts are known in this session. A server with CCC_FACTS=on notes them from what is said; you can add them by hand.'}
        </p>
      )}
      <ul class="list facts">
        {shown.map((fact) => (
          <li key={fact.fact_id}>
            <FactCard fact={fact} />
          </li>
        ))}
      </ul>
      {moreFacts.value !== null && (
        <button class="small" type="button" onClick={() => void loadFacts(moreFacts.value)}>
          Older facts
        </button>
      )}
    </div>
  );
}
