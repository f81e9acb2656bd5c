import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { BOX } from '../actions/causes.ts';
import type { CausalGraph } from '../api/causes.ts';
import type { Drawing, Point } from '../graph/drawing.ts';
import { inTime } from '../graph/in-time.ts';
import { neighbour, type Direction } from '../graph/neighbour.ts';
import { chosen } from '../state/causes.ts';
import { Heads, Scene } from './cause-scene.tsx';

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
/** A drawing this much wider than its place is shown whole; a wider one from its right end. */
const WIDEST_FIT = 1.3;
/** A press that moves further than this is a drag and chooses nothing, in pixels. */
const DRAG = 4;

const DIRECTIONS: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

/**
 * The drawing. Drag moves it, the wheel or plus and minus zoom it, a click or Enter chooses an event. Arrow keys go
 * from event to event along the links; with Shift, or on the drawing itself, they move the drawing.
 */
export function CauseGraph({ graph, drawing }: { graph: CausalGraph; drawing: Drawing }) {
  const box = useRef<SVGSVGElement>(null);
  const drag = useRef<(Point & { far: number }) | null>(null);
  const [shown, show] = useState<Window>({ x: 0, y: 0, width: 1_000, height: 600 });
  const [visited, visit] = useState<string | null>(null);

  const fit = () => {
    const { clientWidth = 1_000, clientHeight = 600 } = box.current ?? {};
    const ratio = clientHeight / Math.max(1, clientWidth);
    // The whole when that can be read; else its right end, where the newest events stand.
    const whole = Math.max(drawing.width, drawing.height / ratio, clientWidth);
    const width = Math.min(whole, clientWidth * WIDEST_FIT);
    const height = width * ratio;
    show({
      x: Math.max(drawing.width - width, Math.min(0, (drawing.width - width) / 2)),
      y: (drawing.height - height) / 2,
      width,
      height,
    });
  };
  useEffect(fit, [drawing]);

  /** Around the middle, or around a point given as parts of the width and height. */
  const zoom = (by: number, at: Point = { x: 0.5, y: 0.5 }) => {
    show((now) => {
      const width = Math.min(WIDEST, Math.max(NARROWEST, now.width * by));
      const height = (now.height * width) / now.width;
      return {
        x: now.x + (now.width - width) * at.x,
        y: now.y + (now.height - height) * at.y,
        width,
        height,
      };
    });
  };
  const move = (dx: number, dy: number) => {
    show((now) => ({ ...now, x: now.x + dx, y: now.y + dy }));
  };
  const unit = () => shown.width / Math.max(1, box.current?.clientWidth ?? 1);

  /** Moves the window so that an event lies in it whole. */
  const reveal = (eventId: string) => {
    visit(eventId);
    const place = drawing.boxes[eventId];
    if (!place) return;
    show((now) => ({
      ...now,
      x: within(now.x, now.width, place.x, BOX.width),
      y: within(now.y, now.height, place.y, BOX.height),
    }));
  };
  const go = (from: string, direction: Direction) => {
    const next = neighbour(from, direction, drawing.boxes, graph.links.map(inTime));
    if (next === null) return;
    box.current
      ?.querySelector<SVGElement>(`[data-event="${CSS.escape(next)}"]`)
      ?.focus({ preventScroll: true });
  };

  const onKey = (event: KeyboardEvent) => {
    const eventId = event.target instanceof Element ? event.target.getAttribute('data-event') : null;
    const direction = DIRECTIONS[event.key];
    const step = shown.width / 10;
    const run = direction
      ? () => {
          if (eventId !== null && !event.shiftKey) go(eventId, direction);
          else if (direction === 'left' || direction === 'right')
            move(direction === 'left' ? -step : step, 0);
          else move(0, direction === 'up' ? -step : step);
        }
      : {
          '+': () => {
            zoom(1 / ZOOM);
          },
          '-': () => {
            zoom(ZOOM);
          },
          '0': fit,
        }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };

  const { value: choice } = chosen;
  const chosenId = choice?.eventId ?? null;
  useEffect(() => {
    if (chosenId !== null) reveal(chosenId);
  }, [chosenId]);
  const known = (id: string | null) => (id !== null && drawing.boxes[id] ? id : null);
  const reachable = known(visited) ?? known(chosenId) ?? graph.nodes.at(-1)?.event_id ?? null;
  const scene = useMemo(
    () => (
      <Scene
        graph={graph}
        drawing={drawing}
        chosenId={chosenId}
        lit={litPath()}
        reachable={reachable}
        onFocus={reveal}
      />
    ),
    [graph, drawing, choice, reachable],
  );
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
        <button
          class="small"
          type="button"
          onClick={() => {
            fit();
            if (chosenId !== null) reveal(chosenId);
          }}
        >
          Fit
        </button>
      </div>
      <svg
        ref={box}
        viewBox={`${String(shown.x)} ${String(shown.y)} ${String(shown.width)} ${String(shown.height)}`}
        // A smaller window shows less of the drawing, not a smaller drawing.
        preserveAspectRatio="xMidYMid slice"
        role="group"
        aria-label="The drawing: arrow keys go from event to event"
        tabindex={0}
        class={choice ? 'has-lit' : ''}
        onWheel={(event) => {
          event.preventDefault();
          const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
          const at = { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
          zoom(event.deltaY > 0 ? 1.1 : 1 / 1.1, at);
        }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, far: 0 };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from || event.buttons === 0) return;
          const [dx, dy] = [from.x - event.clientX, from.y - event.clientY];
          move(dx * unit(), dy * unit());
          drag.current = {
            x: event.clientX,
            y: event.clientY,
            far: from.far + Math.abs(dx) + Math.abs(dy),
          };
        }}
        onClickCapture={(event) => {
          if (drag.current && drag.current.far > DRAG) event.stopPropagation();
          drag.current = null;
        }}
      >
        <Heads />
        {scene}
      </svg>
    </div>
  );
}

/** Where a window begins so that something of this size around `middle` lies in it. */
function within(start: number, length: number, middle: number, size: number): number {
  const room = size / 2 + 12;
  return Math.max(middle + room - length, Math.min(start, middle - room));
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
