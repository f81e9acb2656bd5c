import { chooseEvent, loadCauses } from '../actions/causes.ts';
import { goToTurn } from '../actions/paging.ts';
import type { CausalEvent, Explanation } from '../api/causes.ts';
import { chosen, graph } from '../state/causes.ts';
import { view } from '../state/view.ts';
import { when } from '../text/words.ts';
import { EventChanges } from './cause-changes.tsx';
import { Links } from './cause-links.tsx';

/** The chosen event in words: what led to it, what came of it, and where it was said. */
export function CauseDetails() {
  const { value } = chosen;
  if (!value) return null;
  const event = value.why?.event ?? graph.value?.nodes.find(({ event_id: id }) => id === value.eventId);
  if (!event) return null;
  return (
    <section class="cause-details" aria-label="The chosen event" aria-live="polite">
      <header>
        <strong>{event.text}</strong>
        <span class="quiet">
          {[event.actor, when(event.happened_at), `recorded by a ${event.recorded_by}`]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </header>
      <Chain title="Why" nothing="Nothing is known that led to this." part={value.why} event={event} />
      <Chain
        title="What followed"
        nothing="Nothing is known to have followed."
        part={value.effects}
        event={event}
      />
      <Links event={event} links={graph.value?.links ?? []} />
      <EventChanges key={event.event_id} event={event} />
      <div class="row">
        {event.source_turn_id !== null && event.conversation_id !== null && (
          <button class="small" type="button" onClick={() => void toTurn(event)}>
            Go to the turn
          </button>
        )}
        <button class="small" type="button" onClick={() => void loadCauses(event.event_id)}>
          Draw its surroundings
        </button>
        <button class="small" type="button" onClick={() => (chosen.value = null)}>
          Close
        </button>
      </div>
    </section>
  );
}

async function toTurn(event: CausalEvent): Promise<void> {
  view.value = 'thread';
  await goToTurn(event.source_turn_id ?? '', event.conversation_id ?? '');
}

/** The most probable chain, one event on each line, with the reason for each step. */
function Chain(props: { title: string; nothing: string; part: Explanation | null; event: CausalEvent }) {
  const { title, nothing, part, event } = props;
  if (!part) return <p class="quiet">…</p>;
  const { chain, nodes, links } = part;
  const steps = chain.event_ids
    .map((id) => nodes.find(({ event_id: known }) => known === id))
    .filter((node): node is CausalEvent => node !== undefined);
  return (
    <div>
      <h3>
        {title}
        {steps.length > 1 && <span class="quiet"> {Math.round(chain.confidence * 100)} % sure</span>}
      </h3>
      {steps.length < 2 ? (
        <p class="quiet">{nothing}</p>
      ) : (
        <ol class="chain">
          {steps.map((node, at) => {
            const link = links.find(({ link_id: id }) => id === chain.link_ids[at]);
            return (
              <li key={node.event_id}>
                {node.event_id === event.event_id ? (
                  <em>{node.text}</em>
                ) : (
                  <button class="link" type="button" onClick={() => void chooseEvent(node.event_id)}>
                    {node.text}
                  </button>
                )}
                {link && (
                  <span class="quiet">
                    {' '}
                    {link.relation}
                    {link.explanation !== '' && `: ${link.explanation}`}
                  </span>
                )}
              </li>
            );
          })}
        </ol>
      )}
    </div>
  );
}
