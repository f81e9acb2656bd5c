import { useEffect } from 'preact/hooks';
import { loadCauses } from '../actions/causes.ts';
import { around, chosen, drawing, graph, noCauses } from '../state/causes.ts';
import { sessionId } from '../state/model.ts';
import { AddEvent } from './cause-changes.tsx';
import { CauseDetails } from './cause-details.tsx';
import { CauseGraph } from './cause-graph.tsx';

/** Why things happened: the session's events and what joined them, from left to right. */
export function Causes() {
  const session = sessionId.value;
  useEffect(() => {
    chosen.value = null;
    void loadCauses();
  }, [session]);
  const [shown, placed] = [graph.value, drawing.value];
  return (
    <div class="causes">
      <div class="row">
        <Legend />
        {around.value !== null && (
          <button class="small" type="button" onClick={() => void loadCauses()}>
            Show the newest events
          </button>
        )}
        {shown?.truncated && <span class="quiet">There is more than can be drawn at once.</span>}
      </div>
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
