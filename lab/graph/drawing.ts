export interface Box {
  id: string;
  width: number;
  height: number;
}
export interface Arrow {
  id: string;
  from: string;
  to: string;
}
export interface Point {
  x: number;
  y: number;
}
/** Where everything stands: boxes by their middle, arrows by the points they pass. */
export interface Drawing {
  width: number;
  height: number;
  boxes: Record<string, Point>;
  arrows: Record<string, Point[]>;
}

/** Space between boxes in rows, in units of the drawing. */
const GAP = 72;

/** Boxes in rows, in the order given, with straight arrows: what is drawn when there is no time for better. */
export function inRows(boxes: Box[], arrows: Arrow[]): Drawing {
  const perRow = Math.max(1, Math.ceil(Math.sqrt(boxes.length)));
  const cell = {
    width: Math.max(0, ...boxes.map(({ width }) => width)) + GAP,
    height: Math.max(0, ...boxes.map(({ height }) => height)) + GAP,
  };
  const places: Record<string, Point> = {};
  for (const [at, { id }] of boxes.entries()) {
    places[id] = {
      x: ((at % perRow) + 0.5) * cell.width,
      y: (Math.floor(at / perRow) + 0.5) * cell.height,
    };
  }
  const lines: Record<string, Point[]> = {};
  for (const { id, from, to } of arrows) {
    const [start, end] = [places[from], places[to]];
    if (start && end) lines[id] = [start, end];
  }
  return {
    width: perRow * cell.width,
    height: Math.ceil(boxes.length / perRow) * cell.height,
    boxes: places,
    arrows: lines,
  };
}
