import { promisify } from 'node:util';
import { brotliDecompress, constants, unzip } from 'node:zlib';
import { countTokensInSteps } from '../../text/tokens.ts';

/** What was kept of a request and its answer, to tell what they have cost. */
export interface Exchanged {
  asked: Buffer;
  /** Absent when no answer came: the upstream has had the question all the same. */
  answered: { bytes: Buffer; type: string; encoding: string } | null;
}

/** Largest body after unpacking, in bytes: what is longer was no ordinary answer, and is counted up to here. */
const MOST_UNPACKED = 8 * 1024 * 1024;

/**
 * Tokens of one exchange: as the upstream has counted them (chats, completions, responses and embeddings; streams that
 * tell it, too), else counted here, from the texts of the request and of the answer.
 */
export async function tokensOf({ asked, answered }: Exchanged): Promise<number> {
  const values = answered ? valuesOf(answered.type, await unpacked(answered.bytes, answered.encoding)) : [];
  for (const value of values.toReversed()) {
    const counted = countedTokens(value);
    if (counted !== null) return counted;
  }
  const texts = [...textsAsked(asked), ...saidIn(values)];
  return countTokensInSteps(texts.join('\n'));
}

async function unpacked(bytes: Buffer, encoding: string): Promise<string> {
  // What was broken off is read as far as it came.
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_UNPACKED };
  try {
    if (encoding === 'gzip' || encoding === 'deflate') return String(await promisify(unzip)(bytes, options));
    if (encoding === 'br') {
      const flush = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: MOST_UNPACKED };
      return String(await promisify(brotliDecompress)(bytes, flush));
    }
  } catch {
    return '';
  }
  return encoding === 'identity' || encoding === '' ? bytes.toString('utf8') : '';
}

/** A body's JSON; of a stream, that of each event. */
function valuesOf(type: string, text: string): unknown[] {
  if (!/^text\/event-stream\b/i.test(type)) return [parsed(text)];
  return text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => parsed(line.slice('data:'.length)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null ? (value as Fields) : null;
const amount = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;

/** The sum that an answer, or the last event of a stream, tells; null when it tells none. */
function countedTokens(value: unknown): number | null {
  const fields = fieldsOf(value);
  const usage = fieldsOf(fields?.['usage'] ?? fieldsOf(fields?.['response'])?.['usage']);
  if (!usage) return null;
  const sum =
    amount(usage['total_tokens']) ||
    amount(usage['prompt_tokens'] ?? usage['input_tokens']) +
      amount(usage['completion_tokens'] ?? usage['output_tokens']);
  return sum > 0 ? sum : null;
}

/** Fields whose texts are said by somebody, in the bodies of all routes; other strings are ids, names and settings. */
const SAID = new Set([
  ...['messages', 'content', 'text', 'input', 'prompt', 'instructions', 'tools', 'function', 'parameters'],
  ...[
    'description',
    'choices',
    'message',
    'delta',
    'reasoning_content',
    'refusal',
    'tool_calls',
    'arguments',
  ],
  ...['output', 'summary', 'item'],
]);

function textsAsked(asked: Buffer): string[] {
  const text = asked.toString('utf8');
  const body = parsed(text);
  // Pictures are no text. What is not JSON, or was too long to be kept whole, counts as it is.
  return body === undefined ? [text.replace(/[\w+/=-]{1000,}/g, '')] : textsIn(body);
}

function saidIn(values: unknown[]): string[] {
  // Events of `/responses` that end a part repeat what its deltas have said.
  const repeats = (value: unknown) => {
    const type = fieldsOf(value)?.['type'];
    return typeof type === 'string' && type.startsWith('response.') && !type.endsWith('.delta');
  };
  return [values.flatMap((value) => (repeats(value) ? [] : textsIn(value))).join('')];
}

/** The texts of a body. Without recursion: depth is the client's to choose. */
function textsIn(body: unknown): string[] {
  const texts: string[] = [];
  const open: unknown[] = [body];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') texts.push(value);
    else if (Array.isArray(value)) for (const item of value.toReversed()) open.push(item);
    else {
      const fields = fieldsOf(value);
      if (!fields) continue;
      for (const name of Object.keys(fields).reverse()) if (SAID.has(name)) open.push(fields[name]);
    }
  }
  return texts;
}
