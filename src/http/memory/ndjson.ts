import { CccError } from '../../base/ccc-error.ts';

const LINE_FEED = 0x0a;

/**
 * The lines of a body of any length, as they come: never more than one line is kept. A stream that breaks off throws,
 * as it is no shorter body.
 * @throws payload_too_large for a line of more than `longest` bytes; invalid_json for one that is no UTF-8
 */
export async function* linesOf(body: AsyncIterable<Buffer>, longest: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (part: Buffer) => {
    size += part.length;
    if (size > longest)
      throw new CccError('payload_too_large', `A line is larger than ${String(longest)} bytes.`);
    parts.push(part);
  };
  const line = () => {
    const bytes = Buffer.concat(parts, size);
    parts = [];
    size = 0;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      throw new CccError('invalid_json', 'A line is not UTF-8.', { cause: error });
    }
  };
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, end));
      yield line();
      from = end + 1;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  if (size > 0) yield line();
}
