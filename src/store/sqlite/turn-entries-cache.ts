import type { Database } from 'better-sqlite3';
import { spanOf, unpackBlock, type PackedBlock, type TurnArrays } from '../rows/turn-entries.ts';
import { REMOVED, type IndexLookup } from '../turn-index.ts';
import { readBlocksSince, readSpeakers, readTurnEntries, readVersion } from './turn-blocks.ts';

type TurnEntries = Omit<IndexLookup, 'terms'>;

/** Turns that are kept in all, of the sessions asked for last: 12 bytes each. */
const MOST_TURNS = 1_000_000;
/** Room for turns to come, so that one more does not copy all that are there. */
const GROWTH = 1.25;
const FEWEST = 256;

/**
 * What ranking knows of each turn, kept between the questions to a session: of a session of short conversations every
 * search would read thousands of rows, of which one or two have changed since the last. Only for a connection that
 * reads: what is in here was committed.
 */
export class TurnEntriesCache {
  readonly #database: Database;
  readonly #mostTurns: number;
  /** By session key, which is never given twice; the one asked for last is at the end. */
  readonly #kept = new Map<number, KeptSession>();
  #turns = 0;

  constructor(database: Database, mostTurns = MOST_TURNS) {
    this.#database = database;
    this.#mostTurns = mostTurns;
  }

  /** Turns that are kept. */
  get turns(): number {
    return this.#turns;
  }

  /** All turns of the session, numbered through. What is given is the caller's own. */
  read(sessionKey: number): TurnEntries {
    const now = readVersion(this.#database, sessionKey);
    // Written before versions were kept: nothing would tell that it has changed.
    if (!now) return readTurnEntries(this.#database, sessionKey);
    const before = this.#take(sessionKey);
    const kept =
      before && this.#bringUpToDate(before, sessionKey, now) ? before : this.#load(sessionKey, now);
    this.#keep(sessionKey, kept);
    return kept.entries();
  }

  #load(sessionKey: number, now: { version: number; epoch: number }): KeptSession {
    return new KeptSession(readTurnEntries(this.#database, sessionKey), now);
  }

  /** False when it has to be read anew. */
  #bringUpToDate(kept: KeptSession, sessionKey: number, now: { version: number; epoch: number }): boolean {
    if (kept.epoch !== now.epoch) return false;
    if (kept.version === now.version) return true;
    const changed = readBlocksSince(this.#database, sessionKey, kept.version);
    if (!changed.every((block) => kept.write(block))) return false;
    kept.speakerNames = readSpeakers(this.#database, sessionKey);
    kept.version = now.version;
    return true;
  }

  #take(sessionKey: number): KeptSession | undefined {
    const kept = this.#kept.get(sessionKey);
    if (!kept) return undefined;
    this.#kept.delete(sessionKey);
    this.#turns -= kept.count;
    return kept;
  }

  #keep(sessionKey: number, kept: KeptSession): void {
    if (kept.count > this.#mostTurns) return;
    this.#kept.set(sessionKey, kept);
    this.#turns += kept.count;
    for (const oldest of this.#kept.keys()) {
      if (this.#turns <= this.#mostTurns) break;
      this.#take(oldest);
    }
  }
}

/** The entries of one session, with room for more. */
class KeptSession {
  readonly epoch: number;
  version: number;
  speakerNames: string[];
  count: number;
  readonly #conversations: number[];
  readonly #starts: number[];
  #arrays: TurnArrays;

  constructor(entries: TurnEntries, at: { version: number; epoch: number }) {
    this.epoch = at.epoch;
    this.version = at.version;
    this.speakerNames = entries.speakerNames;
    this.count = entries.minutes.length;
    this.#conversations = [...entries.conversations];
    this.#starts = [...entries.starts];
    this.#arrays = entries;
  }

  entries(): TurnEntries {
    const { minutes, lengths, speakers, traits } = this.#arrays;
    return {
      conversations: Int32Array.from(this.#conversations),
      starts: Int32Array.from(this.#starts),
      minutes: minutes.slice(0, this.count),
      lengths: lengths.slice(0, this.count),
      speakers: speakers.slice(0, this.count),
      traits: traits.slice(0, this.count),
      speakerNames: this.speakerNames,
    };
  }

  /** Takes in a block that was written since. False when it would move those behind it. */
  write(block: PackedBlock): boolean {
    const [conversation] = block;
    const { offset, turns } = spanOf(block);
    const last = this.#conversations.length - 1;
    if (last < 0 || conversation > (this.#conversations[last] ?? 0)) {
      this.#conversations.push(conversation);
      this.#starts.push(this.count);
    }
    const at = indexOf(this.#conversations, conversation);
    if (at === null) return false;
    const place = (this.#starts[at] ?? 0) + offset;
    if (place + turns > (this.#starts[at + 1] ?? Infinity)) return false;
    this.#reach(place + turns);
    unpackBlock(block, this.#arrays, place);
    return true;
  }

  #reach(count: number): void {
    if (count > this.#arrays.minutes.length) {
      const room = Math.max(FEWEST, Math.ceil(count * GROWTH));
      const { minutes, lengths, speakers, traits } = this.#arrays;
      this.#arrays = {
        minutes: grown(new Int32Array(room), minutes),
        lengths: grown(new Int32Array(room), lengths),
        speakers: grown(new Uint16Array(room), speakers),
        traits: grown(new Uint16Array(room), traits),
      };
    }
    // Where no row is, no turn is.
    if (count > this.count) this.#arrays.minutes.fill(REMOVED, this.count, count);
    this.count = Math.max(this.count, count);
  }
}

function grown<T extends Int32Array | Uint16Array>(room: T, before: T): T {
  room.set(before);
  return room;
}

/** Where a value is in an ascending list; null where it is not. */
function indexOf(ascending: readonly number[], value: number): number | null {
  let [low, high] = [0, ascending.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = ascending[middle] ?? 0;
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}
