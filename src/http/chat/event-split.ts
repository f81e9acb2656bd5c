/**
 * Cuts a stream of server-sent events into events, as bytes: what goes in comes out again, byte for byte, but an
 * event is held until its blank line has arrived. So it can be decided for each whether it is passed on.
 */
export class EventSplitter {
  #held: Buffer = Buffer.alloc(0);

  /** The events that are complete with these bytes, each with its blank line. */
  push(bytes: Buffer): Buffer[] {
    const all = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    const events: Buffer[] = [];
    let start = 0;
    // What was held has no event's end in it, except that its last three bytes may begin one.
    let at = Math.max(0, this.#held.length - 3);
    for (;;) {
      const end = endOfEvent(all, at);
      if (end < 0) break;
      events.push(all.subarray(start, end));
      start = end;
      at = end;
    }
    this.#held = all.subarray(start);
    return events;
  }

  /** What came after the last blank line. */
  rest(): Buffer {
    return this.#held;
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** Just after the first blank line at or after `from`; -1 when there is none yet. */
function endOfEvent(bytes: Buffer, from: number): number {
  for (let i = from; i < bytes.length - 1; i += 1) {
    if (bytes[i] === LF && bytes[i + 1] === LF) return i + 2;
    if (bytes[i] === LF && bytes[i + 1] === CR) {
      // "\r\n\r\n": the last byte may still be on its way.
      if (i + 2 >= bytes.length) return -1;
      if (bytes[i + 2] === LF) return i + 3;
    }
    if (bytes[i] === CR && bytes[i + 1] === CR) return i + 2;
  }
  return -1;
}

/** The data of one event as text; null when it has none, as a comment. */
export function eventData(event: Buffer): string | null {
  const lines = event
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:'));
  if (lines.length === 0) return null;
  return lines.map((line) => line.slice(line.startsWith('data: ') ? 6 : 5)).join('\n');
}
