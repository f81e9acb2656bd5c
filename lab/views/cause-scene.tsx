import { BOX, chooseEvent } from '../actions/causes.ts';
import type { CausalEvent, CausalGraph, CausalLink } from '../api/causes.ts';
import type { Drawing, Point } from '../graph/drawing.ts';
import { count, when } from '../text/words.ts';

interface Props {
  graph: CausalGraph;
  drawing: Drawing;
  chosenId: string | null;
  /** Ids of the events and links that stand out; null when none does. */
  lit: Set<string> | null;
  /** The event that Tab leads to. */
  reachable: string | null;
  onFocus: (eventId: string) => void;
}

/** All arrows and events. It is drawn anew when one of them changes, not when the window moves over them. */
export function Scene({ graph, drawing, chosenId, lit, reachable, onFocus }: Props) {
  return (
    <g
      role="group"
      aria-label={`${count(graph.nodes.length, 'event')}, ${count(graph.links.length, 'link')}`}
    >
      {graph.links.map((link) => (
        <Link
          key={link.link_id}
          link={link}
          points={drawing.arrows[link.link_id] ?? []}
          lit={lit?.has(link.link_id) ?? false}
        />
      ))}
      {graph.nodes.map((event) => (
        <Event
          key={event.event_id}
          event={event}
          at={drawing.boxes[event.event_id] ?? { x: 0, y: 0 }}
          lit={lit?.has(event.event_id) ?? false}
          isChosen={chosenId === event.event_id}
          isReachable={reachable === event.event_id}
          onFocus={onFocus}
        />
      ))}
    </g>
  );
}

export function Heads() {
  return (
    <defs>
      {['caused', 'enabled', 'prevented', 'superseded'].map((relation) => (
        <marker
          key={relation}
          id={`head-${relation}`}
          class={`head ${relation}`}
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto-start-reverse"
        >
          <path d={relation === 'prevented' ? 'M6 0 V8' : 'M0 0 L8 4 L0 8 z'} />
        </marker>
      ))}
    </defs>
  );
}

function Link({ link, points, lit }: { link: CausalLink; points: Point[]; lit: boolean }) {
  const path = points
    .map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join(' ');
  const sure = `${String(Math.round(link.confidence * 100))} %`;
  return (
    <path
      class={`arrow ${link.relation}${lit ? ' lit' : ''}`}
      d={path}
      // From a guess to a certainty.
      stroke-width={1 + link.confidence * 2.5}
      marker-end={`url(#head-${link.relation})`}
    >
      <title>{`${link.relation} (${sure}, ${link.judged_by}). ${link.explanation}`}</title>
    </path>
  );
}

/** Letters that fit on a line of a box, and lines in it. */
const LINE = 29;
const LINES = 3;

function Event(props: {
  event: CausalEvent;
  at: Point;
  lit: boolean;
  isChosen: boolean;
  isReachable: boolean;
  onFocus: (eventId: string) => void;
}) {
  const { event, at, lit, isChosen, isReachable, onFocus } = props;
  const id = event.event_id;
  const choose = () => void chooseEvent(id);
  return (
    <g
      class={`event${lit ? ' lit' : ''}${isChosen ? ' chosen' : ''}`}
      transform={`translate(${String(at.x - BOX.width / 2)} ${String(at.y - BOX.height / 2)})`}
      role="button"
      tabindex={isReachable ? 0 : -1}
      data-event={id}
      aria-pressed={isChosen}
      onClick={choose}
      onFocus={() => {
        onFocus(id);
      }}
      onKeyDown={(key) => {
        if (key.key !== 'Enter' && key.key !== ' ') return;
        key.preventDefault();
        choose();
      }}
    >
      <title>{`${event.text}, ${when(event.happened_at)}`}</title>
      <rect width={BOX.width} height={BOX.height} rx="8" />
      {/* The title says all of it; this is only as much as fits. */}
      <g aria-hidden="true">
        {lines(event.text).map((line, row) => (
          <text key={row} x="10" y={19 + row * 15}>
            {line}
          </text>
        ))}
        <text class="when" x="10" y={BOX.height - 6}>
          {[event.actor, new Date(event.happened_at).toLocaleDateString()].filter(Boolean).join(' · ')}
        </text>
      </g>
    </g>
  );
}

function lines(text: string): string[] {
  const result: string[] = [];
  let rest = text.replace(/\s+/g, ' ').trim();
  while (rest !== '' && result.length < LINES) {
    if (rest.length <= LINE) {
      result.push(rest);
      break;
    }
    const cut = rest.lastIndexOf(' ', LINE);
    const end = cut > LINE / 2 ? cut : LINE;
    const last = result.length === LINES - 1;
    result.push(last ? `${rest.slice(0, end - 1)}…` : rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return result;
}
