import type { Database } from 'better-sqlite3';
import { spanOf, unpackBlock, type PackedBlock, type TurnArrays } from '../rows/turn-entries.ts';
import { REMOVED, type IndexLookup } from '../turn-index.ts';
import { RecentTerms } from './recent-terms.ts';
import {
  readBlocksSince,
  readSpeakers,
  readTurnEntries,
  readVersion,
  type IndexVersion,
} from './turn-blocks.ts';
import { recentPostings } from './turn-terms.ts';

type TurnEntries = Omit<IndexLookup, 'terms'>;

/** Turns that are kept in all, of the sessions asked for last, and what else is kept by its size: 12 bytes each. */
const MOST_TURNS = 1_000_000;
/** What a session takes beside its arrays, in turns: six arrays' heads, some objects, the names of speakers. */
const WEIGHT_OF_ONE = 200;
/** What a conversation takes, in turns. */
const WEIGHT_OF_CONVERSATION = 2 / 3;
/** Room for turns to come, so that one more does not copy all that are there. */
const GROWTH = 1.25;
const FEWEST = 16;

/** What is kept of a session's index: for reading only, and only until it is looked at again. */
export interface KeptIndex {
  /** All turns of the session, numbered through. */
  turns: TurnEntries;
  /** Terms that are not yet in `turn_terms`. */
  recent: RecentTerms;
}

/**
 * What ranking knows of each turn, kept between the questions to a session: of a session of short conversations every
 * search would read thousands of rows, of which one or two have changed since the last. Only for a connection that
 * reads: what is in here was committed.
 */
export class IndexCache {
  readonly #database: Database;
  readonly #mostTurns: number;
  /** By session key, which is never given twice; the one asked for last is at the end. */
  readonly #kept = new Map<number, KeptSession>();
  #weight = 0;

  constructor(database: Database, mostTurns = MOST_TURNS) {
    this.#database = database;
    this.#mostTurns = mostTurns;
  }

  /** What is kept, in turns. */
  get weight(): number {
    return this.#weight;
  }

  read(sessionKey: number): KeptIndex {
    const now = readVersion(this.#database, sessionKey);
    // Written before versions were kept: nothing would tell that it has changed.
    if (!now) return { turns: readTurnEntries(this.#database, sessionKey), recent: new RecentTerms() };
    const before = this.#take(sessionKey);
    const kept =
      before && this.#bringUpToDate(before, sessionKey, now) ? before : this.#load(sessionKey, now);
    this.#keep(sessionKey, kept);
    return { turns: kept.entries(), recent: kept.recent };
  }

  #load(sessionKey: number, now: IndexVersion): KeptSession {
    const kept = new KeptSession(readTurnEntries(this.#database, sessionKey), now);
    kept.recent.add(recentPostings(this.#database, sessionKey, now.takenOver));
    return kept;
  }

  /** False when it has to be read anew. */
  #bringUpToDate(kept: KeptSession, sessionKey: number, now: IndexVersion): boolean {
    if (kept.at.epoch !== now.epoch) return false;
    if (kept.at.version === now.version && kept.at.takenOver === now.takenOver) return true;
    const changed = readBlocksSince(this.#database, sessionKey, kept.at.version);
    if (!changed.every((block) => kept.write(block))) return false;
    kept.speakerNames = readSpeakers(this.#database, sessionKey);
    if (kept.at.takenOver !== now.takenOver) kept.recent.clear();
    kept.recent.add(recentPostings(this.#database, sessionKey, Math.max(kept.at.version, now.takenOver)));
    kept.at = now;
    return true;
  }

  #take(sessionKey: number): KeptSession | undefined {
    const kept = this.#kept.get(sessionKey);
    if (!kept) return undefined;
    this.#kept.delete(sessionKey);
    this.#weight -= kept.weight;
    return kept;
  }

  #keep(sessionKey: number, kept: KeptSession): void {
    if (kept.weight > this.#mostTurns) return;
    this.#kept.set(sessionKey, kept);
    this.#weight += kept.weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= this.#mostTurns) break;
      this.#take(oldest);
    }
  }
}

/**
 * The entries of one session, with room for more. What it gives are views on a part of its arrays, never on a whole one: so
 * they are copied when they leave this thread, and not taken away from here.
 */
class KeptSession {
  at: IndexVersion;
  speakerNames: string[];
  readonly recent = new RecentTerms();
  #turns: TurnArrays;
  #count: number;
  #conversations: Int32Array;
  #starts: Int32Array;
  #conversationCount: number;

  constructor(entries: TurnEntries, at: IndexVersion) {
    this.at = at;
    this.speakerNames = entries.speakerNames;
    this.#count = entries.minutes.length;
    this.#turns = turnsWithRoom(entries, this.#count);
    this.#conversationCount = entries.conversations.length;
    this.#conversations = withRoom(entries.conversations, this.#conversationCount);
    this.#starts = withRoom(entries.starts, this.#conversationCount);
  }

  /** By the room that is taken, whatever is in it. */
  get weight(): number {
    const conversations = this.#conversations.length * WEIGHT_OF_CONVERSATION;
    return Math.ceil(WEIGHT_OF_ONE + this.#turns.minutes.length + conversations + this.recent.weight);
  }

  entries(): TurnEntries {
    const { minutes, lengths, speakers, traits } = this.#turns;
    return {
      conversations: this.#conversations.subarray(0, this.#conversationCount),
      starts: this.#starts.subarray(0, this.#conversationCount),
      minutes: minutes.subarray(0, this.#count),
      lengths: lengths.subarray(0, this.#count),
      speakers: speakers.subarray(0, this.#count),
      traits: traits.subarray(0, this.#count),
      speakerNames: this.speakerNames,
    };
  }

  /** Takes in a block that was written since. False when it would move those behind it. */
  write(block: PackedBlock): boolean {
    const [conversation] = block;
    const { offset, turns } = spanOf(block);
    const newest =
      this.#conversationCount === 0 ? -1 : (this.#conversations[this.#conversationCount - 1] ?? 0);
    if (conversation > newest) this.#begin(conversation);
    const at = indexOf(this.#conversations, this.#conversationCount, conversation);
    if (at === null) return false;
    const place = (this.#starts[at] ?? 0) + offset;
    const next = at + 1 < this.#conversationCount ? (this.#starts[at + 1] ?? 0) : Infinity;
    if (place + turns > next) return false;
    this.#reach(place + turns);
    unpackBlock(block, this.#turns, place);
    return true;
  }

  #begin(conversation: number): void {
    const at = this.#conversationCount;
    if (at + 1 >= this.#conversations.length) {
      this.#conversations = withRoom(this.#conversations, at + 1);
      this.#starts = withRoom(this.#starts, at + 1);
    }
    this.#conversations[at] = conversation;
    this.#starts[at] = this.#count;
    this.#conversationCount += 1;
  }

  /** Makes room for so many turns. Where no row is written, no turn is. */
  #reach(count: number): void {
    if (count >= this.#turns.minutes.length) this.#turns = turnsWithRoom(this.#turns, count);
    if (count > this.#count) this.#turns.minutes.fill(REMOVED, this.#count, count);
    this.#count = Math.max(this.#count, count);
  }
}

function turnsWithRoom({ minutes, lengths, speakers, traits }: TurnArrays, count: number): TurnArrays {
  return {
    minutes: withRoom(minutes, count),
    lengths: withRoom(lengths, count),
    speakers: withRoom(speakers, count),
    traits: withRoom(traits, count),
  };
}

/** A longer array that begins with the same, of more than `count` places. */
function withRoom<T extends Int32Array | Uint16Array>(before: T, count: number): T {
  const room = Math.max(FEWEST, Math.ceil(count * GROWTH));
  const longer = (before instanceof Int32Array ? new Int32Array(room) : new Uint16Array(room)) as T;
  longer.set(before);
  return longer;
}

/** Where a value is among the first `count` of an ascending list; null where it is not. */
function indexOf(ascending: Int32Array, count: number, value: number): number | null {
  let [low, high] = [0, count - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = ascending[middle] ?? 0;
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}
