/** Arrays as long as a session has turns, to work in. */
export interface WorkingRoom {
  own: Float64Array;
  near: Float64Array;
  best: Float64Array;
  told: Float64Array;
  total: Float64Array;
  touched: Int32Array;
  episodes: Int32Array;
}

/** Rooms that nobody works in. Seldom more than one: only the scoring of very long sessions lets others in between. */
const free: WorkingRoom[] = [];
const MOST_KEPT = 2;
/** A longer session's room is not kept: it would be held for good, for one question. */
const LONGEST_KEPT = 200_000;
const GROWTH = 1.25;

/**
 * Half a megabyte a question for ten thousand turns, made anew each time, kept the garbage collector at work on another
 * core: it counts such arrays although they are not on its heap.
 * @returns arrays of at least `count` places, the first `count` of them zero; to be given back
 */
export function takeRoom(count: number): WorkingRoom {
  const room = free.pop();
  if (!room || room.own.length < count) return newRoom(Math.ceil(count * GROWTH));
  for (const array of [room.own, room.near, room.told, room.total]) array.fill(0, 0, count);
  return room;
}

/** Nothing of it may be used any more. */
export function giveBack(room: WorkingRoom): void {
  if (free.length < MOST_KEPT && room.own.length <= LONGEST_KEPT) free.push(room);
}

function newRoom(length: number): WorkingRoom {
  return {
    own: new Float64Array(length),
    near: new Float64Array(length),
    // Zero again after each use.
    best: new Float64Array(length),
    told: new Float64Array(length),
    total: new Float64Array(length),
    // Written before they are read.
    touched: new Int32Array(length),
    episodes: new Int32Array(length),
  };
}
