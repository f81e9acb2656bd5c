import type { ForwardResponse } from '../../models/provider.ts';

/** Most bytes that are held for one answer; beyond it the upstream has to wait. */
const MOST_HELD = 1024 * 1024;

/** An answer of the upstream that is read already, though nobody has asked for it yet. */
export interface HeldAnswer extends ForwardResponse {
  /** What has come and what still comes. To be called once, instead of reading `body`. */
  read(): AsyncIterable<Buffer>;
}

/**
 * Takes what comes of an answer from now on. A stream that breaks off drops what nobody has read yet, and an answer
 * cannot be passed on before its conversation has an id: what comes in between is held here.
 */
export function holdAnswer(answer: ForwardResponse): HeldAnswer {
  const { body } = answer;
  const held: Buffer[] = [];
  let size = 0;
  const take = (bytes: Buffer): void => {
    held.push(bytes);
    size += bytes.length;
    if (size > MOST_HELD) body.pause();
  };
  // A failure is heard where the rest is read.
  body.on('error', () => undefined).on('data', take);
  async function* read(): AsyncGenerator<Buffer> {
    body.pause().off('data', take);
    // In one piece: what is there at once need not be written in parts.
    if (held.length > 0) yield Buffer.concat(held);
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  }
  return { ...answer, read };
}
