import type { Arrow, Point } from './drawing.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/**
 * The box that lies next to one in a direction. Left and right follow the arrows first, to a cause or an effect; up
 * and down, and where no arrow leads on, to the box that is nearest in that direction.
 */
export function neighbour(
  id: string,
  direction: Direction,
  places: Record<string, Point>,
  arrows: Pick<Arrow, 'from' | 'to'>[],
): string | null {
  const here = places[id];
  if (!here) return null;
  const joined = arrows.flatMap(({ from, to }) => {
    if (direction === 'right' && from === id) return [to];
    if (direction === 'left' && to === id) return [from];
    return [];
  });
  return (
    nearest(here, joined, places, () => true) ??
    nearest(
      here,
      Object.keys(places),
      places,
      (dx, dy) =>
        ({
          left: dx < 0 && -dx >= Math.abs(dy),
          right: dx > 0 && dx >= Math.abs(dy),
          up: dy < 0 && -dy >= Math.abs(dx),
          down: dy > 0 && dy >= Math.abs(dx),
        })[direction],
    )
  );
}

function nearest(
  here: Point,
  ids: string[],
  places: Record<string, Point>,
  lies: (dx: number, dy: number) => boolean,
): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const id of ids) {
    const place = places[id];
    if (!place) continue;
    const [dx, dy] = [place.x - here.x, place.y - here.y];
    const distance = dx * dx + dy * dy;
    if (distance > 0 && distance < least && lies(dx, dy)) [best, least] = [id, distance];
  }
  return best;
}
