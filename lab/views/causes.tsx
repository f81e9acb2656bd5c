import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { findEvents, loadCauses, showEvent } from '../actions/causes.ts';
import { around, chosen, drawing, foundEvents, graph, noCauses } from '../state/causes.ts';
import { sessionId } from '../state/model.ts';
import { count, when } from '../text/words.ts';
import { AddEvent } from './cause-changes.tsx';
import { CauseDetails } from './cause-details.tsx';
import { CauseGraph } from './cause-graph.tsx';

/** Why things happened: the session's events and what joined them, from left to right. */
export function Causes() {
  const session = sessionId.value;
  useEffect(() => {
    chosen.value = null;
    foundEvents.value = null;
    void loadCauses();
  }, [session]);
  const [shown, placed] = [graph.value, drawing.value];
  return (
    <div class="causes">
      <div class="row">
        <Legend />
        {shown && shown.nodes.length > 0 && <FindEvent />}
        {around.value !== null && (
          <button class="small" type="button" onClick={() => void loadCauses()}>
            Show the newest events
          </button>
        )}
        {shown?.truncated && (
          <span class="quiet">
            {around.value === null
              ? `These are the newest ${String(shown.nodes.length)}; find an older one to draw what is around it.`
              : `These are the nearest ${String(shown.nodes.length)}.`}
          </span>
        )}
      </div>
      <FoundEvents />
      {shown && placed && shown.nodes.length > 0 ? (
        <CauseGraph graph={shown} drawing={placed} />
      ) : (
        <p class="welcome" role="status">
          {session === null ? 'Open a session to see its causes.' : noCauses.value}
        </p>
      )}
      <CauseDetails />
      {session !== null && <AddEvent />}
    </div>
  );
}

/** There may be more events than can be drawn: words lead to any of them. */
function FindEvent() {
  const query = useSignal('');
  return (
    <form
      role="search"
      aria-label="Events"
      class="find-event"
      onSubmit={(event) => {
        event.preventDefault();
        void findEvents(query.value.trim());
      }}
    >
      <input
        type="search"
        aria-label="Find an event"
        placeholder="Find an event, Enter"
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          if (query.value === '') foundEvents.value = null;
        }}
      />
    </form>
  );
}

function FoundEvents() {
  const found = foundEvents.value;
  if (!found) return null;
  return (
    <section class="found-events" aria-label="Events found">
      <p class="quiet">
        {count(found.events.length, 'event')} found for “{found.query}”.{' '}
        <button class="small" type="button" onClick={() => (foundEvents.value = null)}>
          Close
        </button>
      </p>
      <ul class="list">
        {found.events.map((event) => (
          <li key={event.event_id}>
            <button
              class="entry"
              type="button"
              onClick={() => {
                foundEvents.value = null;
                void showEvent(event.event_id);
              }}
            >
              <span class="name">{event.text}</span>
              <span class="when">{[event.actor, when(event.happened_at)].filter(Boolean).join(' · ')}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const RELATIONS = ['caused', 'enabled', 'prevented', 'superseded'] as const;

function Legend() {
  return (
    <ul class="legend" aria-label="Relations">
      {RELATIONS.map((relation) => (
        <li key={relation}>
          <svg viewBox="0 0 34 8" aria-hidden="true">
            <path class={`arrow ${relation}`} d="M1 4 H33" stroke-width="2.5" />
          </svg>
          {relation}
        </li>
      ))}
    </ul>
  );
}
