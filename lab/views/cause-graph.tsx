import { useEffect, useRef, useState } from 'preact/hooks';
import { BOX, chooseEvent } from '../actions/causes.ts';
import type { CausalEvent, CausalGraph, CausalLink } from '../api/causes.ts';
import type { Drawing, Point } from '../graph/drawing.ts';
import { chosen } from '../state/causes.ts';
import { count, when } from '../text/words.ts';

interface Window {
  x: number;
  y: number;
  width: number;
  height: number;
}

const ZOOM = 1.25;
/** Widest and narrowest piece of the drawing that is shown, in its units. */
const WIDEST = 40_000;
const NARROWEST = 250;

/** The drawing: drag or arrow keys move it, the wheel or plus and minus zoom it, a click or Enter chooses an event. */
export function CauseGraph({ graph, drawing }: { graph: CausalGraph; drawing: Drawing }) {
  const box = useRef<SVGSVGElement>(null);
  const drag = useRef<Point | null>(null);
  const [shown, show] = useState<Window>({ x: 0, y: 0, width: 1_000, height: 600 });

  const fit = () => {
    const { clientWidth = 1_000, clientHeight = 600 } = box.current ?? {};
    // The newest events stand on the right: begin there when all of it would be too small to read.
    const width = Math.min(Math.max(drawing.width, clientWidth), clientWidth * 1.6);
    const height = (width * clientHeight) / Math.max(1, clientWidth);
    show({
      x: Math.max(drawing.width - width, Math.min(0, (drawing.width - width) / 2)),
      y: (drawing.height - height) / 2,
      width,
      height,
    });
  };
  useEffect(fit, [drawing]);

  const zoom = (by: number) => {
    show((now) => {
      const width = Math.min(WIDEST, Math.max(NARROWEST, now.width * by));
      const height = (now.height * width) / now.width;
      return { x: now.x + (now.width - width) / 2, y: now.y + (now.height - height) / 2, width, height };
    });
  };
  const move = (dx: number, dy: number) => {
    show((now) => ({ ...now, x: now.x + dx, y: now.y + dy }));
  };
  const unit = () => shown.width / Math.max(1, box.current?.clientWidth ?? 1);
  const onKey = (event: KeyboardEvent) => {
    const step = shown.width / 10;
    const act: Record<string, () => void> = {
      ArrowLeft: () => {
        move(-step, 0);
      },
      ArrowRight: () => {
        move(step, 0);
      },
      ArrowUp: () => {
        move(0, -step);
      },
      ArrowDown: () => {
        move(0, step);
      },
      '+': () => {
        zoom(1 / ZOOM);
      },
      '-': () => {
        zoom(ZOOM);
      },
      '0': fit,
    };
    const run = act[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };

  const lit = litPath();
  return (
    <div class="graph" onKeyDown={onKey}>
      <div class="graph-tools">
        <button
          class="small"
          type="button"
          aria-label="Larger"
          onClick={() => {
            zoom(1 / ZOOM);
          }}
        >
          +
        </button>
        <button
          class="small"
          type="button"
          aria-label="Smaller"
          onClick={() => {
            zoom(ZOOM);
          }}
        >
          −
        </button>
        <button class="small" type="button" onClick={fit}>
          Fit
        </button>
      </div>
      <svg
        ref={box}
        viewBox={`${String(shown.x)} ${String(shown.y)} ${String(shown.width)} ${String(shown.height)}`}
        // A smaller window shows less of the drawing, not a smaller drawing.
        preserveAspectRatio="xMidYMid slice"
        role="group"
        aria-label={`${count(graph.nodes.length, 'event')}, ${count(graph.links.length, 'link')}`}
        tabindex={0}
        class={lit ? 'has-lit' : ''}
        onWheel={(event) => {
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.1 : 1 / 1.1);
        }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from || event.buttons === 0) return;
          move((from.x - event.clientX) * unit(), (from.y - event.clientY) * unit());
          drag.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
      >
        <Heads />
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
          />
        ))}
      </svg>
    </div>
  );
}

/** Ids of all that led to the chosen event and all that came of it; null when none is chosen. */
function litPath(): Set<string> | null {
  const { value } = chosen;
  if (!value) return null;
  const parts = [value.why, value.effects].flatMap((part) => (part ? [part] : []));
  return new Set([
    value.eventId,
    ...parts.flatMap(({ nodes, links }) => [
      ...nodes.map(({ event_id: id }) => id),
      ...links.map(({ link_id: id }) => id),
    ]),
  ]);
}

function Heads() {
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

function Event({ event, at, lit }: { event: CausalEvent; at: Point; lit: boolean }) {
  const id = event.event_id;
  const isChosen = chosen.value?.eventId === id;
  const choose = () => void chooseEvent(id);
  return (
    <g
      class={`event${lit ? ' lit' : ''}${isChosen ? ' chosen' : ''}`}
      transform={`translate(${String(at.x - BOX.width / 2)} ${String(at.y - BOX.height / 2)})`}
      role="button"
      tabindex={0}
      aria-pressed={isChosen}
      onClick={choose}
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
