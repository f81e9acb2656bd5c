import type { MethodTable } from './engine.ts';
import type { PlainError } from './error-crossing.ts';

/** What a store thread is started with. */
export interface ThreadOptions {
  file: string;
  /** What the file is encrypted with; null when it is in clear. */
  key: string | null;
  role: 'writer' | 'reader';
  /** The URL of a `NearbyModule` that the reader loads. */
  nearby?: string | undefined;
}

/** To the thread. Calls made in one turn of the event loop travel in one message. */
export type Request = { kind: 'calls'; calls: Call[] } | { kind: 'close' };

export interface Call {
  id: number;
  store: string;
  method: string;
  args: unknown[];
}

/** From the thread. */
export type Reply =
  | { kind: 'ready'; methods: MethodTable }
  | { kind: 'refused'; error: PlainError }
  | { kind: 'results'; results: Result[] };

export type Result = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: PlainError };

/** How deep in a result typed arrays are looked for. */
const DEPTH = 3;

/**
 * The buffers of the typed arrays in `value`, to be moved instead of copied. Only arrays that own their whole
 * buffer: moving a part would take the rest away from whoever else uses it.
 */
export function transferables(value: unknown, found = new Set<ArrayBuffer>(), depth = 0): Set<ArrayBuffer> {
  if (typeof value !== 'object' || value === null) return found;
  if (ArrayBuffer.isView(value)) {
    const whole = value.byteOffset === 0 && value.byteLength === value.buffer.byteLength;
    if (whole && value.buffer instanceof ArrayBuffer && !(value instanceof Buffer)) found.add(value.buffer);
  } else if (depth < DEPTH) {
    for (const inner of Object.values(value)) transferables(inner, found, depth + 1);
  }
  return found;
}
