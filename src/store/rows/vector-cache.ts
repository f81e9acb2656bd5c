import type { Similarities } from '../vector-store.ts';

/** Vectors kept in memory, in bytes; the session that was asked last is kept whatever its size. */
const MOST_BYTES = 256 * 1024 * 1024;
const FIRST_ROOM = 256;

/** The vectors of one session, model and dimension, as far as they were read. */
export class SessionVectors {
  readonly #dimension: number;
  /** The newest change that was read. */
  through = 0;
  #count = 0;
  #values: Float32Array;
  #conversations = new Int32Array(FIRST_ROOM);
  #turns = new Int32Array(FIRST_ROOM);
  readonly #slots = new Map<string, number>();

  constructor(dimension: number) {
    this.#dimension = dimension;
    this.#values = new Float32Array(FIRST_ROOM * dimension);
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  /** @param bytes the vector's, little-endian, or null when it is of another model now */
  put(conversation: number, turn: number, bytes: Uint8Array | null): void {
    const key = `${String(conversation)}:${String(turn)}`;
    const known = this.#slots.get(key);
    if (bytes === null) {
      if (known !== undefined) this.#remove(known, key);
      return;
    }
    const slot = known ?? this.#count++;
    if (slot === this.#turns.length) this.#grow();
    this.#slots.set(key, slot);
    this.#conversations[slot] = conversation;
    this.#turns[slot] = turn;
    new Uint8Array(this.#values.buffer).set(bytes, slot * this.#dimension * 4);
  }

  compare(vector: Float32Array): Similarities {
    const cosines = new Float32Array(this.#count);
    const [values, size] = [this.#values, this.#dimension];
    for (let slot = 0, offset = 0; slot < cosines.length; slot += 1, offset += size) {
      // Two sums side by side: the processor works on both at once.
      let [even, odd] = [0, 0];
      for (let i = 0; i + 1 < size; i += 2) {
        even += (values[offset + i] as number) * (vector[i] as number);
        odd += (values[offset + i + 1] as number) * (vector[i + 1] as number);
      }
      if (size % 2 === 1) even += (values[offset + size - 1] as number) * (vector[size - 1] as number);
      cosines[slot] = even + odd;
    }
    return {
      conversations: this.#conversations.slice(0, this.#count),
      turns: this.#turns.slice(0, this.#count),
      cosines,
    };
  }

  /** The last one moves into the gap. */
  #remove(slot: number, key: string): void {
    const last = --this.#count;
    this.#slots.delete(key);
    if (slot === last) return;
    const [conversation = 0, turn = 0] = [this.#conversations[last], this.#turns[last]];
    this.#conversations[slot] = conversation;
    this.#turns[slot] = turn;
    this.#values.copyWithin(slot * this.#dimension, last * this.#dimension, (last + 1) * this.#dimension);
    this.#slots.set(`${String(conversation)}:${String(turn)}`, slot);
  }

  #grow(): void {
    const room = this.#turns.length * 2;
    const grown = <T extends Int32Array | Float32Array>(before: T, after: T): T => {
      after.set(before);
      return after;
    };
    this.#conversations = grown(this.#conversations, new Int32Array(room));
    this.#turns = grown(this.#turns, new Int32Array(room));
    this.#values = grown(this.#values, new Float32Array(room * this.#dimension));
  }
}

/** The sessions that were asked last. Session keys are never given twice, so an erased session's are never found. */
export class VectorCache {
  readonly #sessions = new Map<string, SessionVectors>();

  of(sessionKey: number, model: string, dimension: number): SessionVectors {
    const key = `${String(sessionKey)} ${String(dimension)} ${model}`;
    const known = this.#sessions.get(key) ?? new SessionVectors(dimension);
    // A Map keeps the order of insertion: the one asked last stands at the end.
    this.#sessions.delete(key);
    this.#sessions.set(key, known);
    return known;
  }

  /** Lets go of the sessions that were not asked for longest until the rest is within the bound. */
  trim(mostBytes = MOST_BYTES): void {
    let bytes = 0;
    for (const session of this.#sessions.values()) bytes += session.bytes;
    for (const [key, session] of this.#sessions) {
      if (bytes <= mostBytes || this.#sessions.size === 1) return;
      this.#sessions.delete(key);
      bytes -= session.bytes;
    }
  }
}
