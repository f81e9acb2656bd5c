import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { CccError } from '../base/ccc-error.ts';

/** Requests that sent `Expect: 100-continue` and wait to be told to go on. */
const waiting = new WeakMap<IncomingMessage, () => void>();

/** Holds back the `100 Continue` until someone really wants the body: an upload that is refused is never sent. */
export function holdContinue(req: IncomingMessage, goOn: () => void): void {
  waiting.set(req, goOn);
}

/** Says to a client that waits for it that its body is wanted. */
export function wantBody(req: IncomingMessage): void {
  waiting.get(req)?.();
  waiting.delete(req);
}

export function hasBody(req: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  return encoding !== undefined || (length !== undefined && Number(length) > 0);
}

/** Refuses a body that announces itself as too large, before any of it is read. @throws payload_too_large */
export function checkAnnouncedLength(req: IncomingMessage, limit: number): void {
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

export function tooLarge(limit: number): CccError {
  return new CccError('payload_too_large', `The body is larger than ${String(limit)} bytes (CCC_MAX_BODY).`);
}

/** Lets bytes through up to a limit, then fails with payload_too_large: for bodies that announce no length. */
export function limitBytes(limit: number): Transform {
  let seen = 0;
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      seen += part.length;
      if (seen > limit) done(tooLarge(limit));
      else done(null, part);
    },
  });
}

/** The whole body as bytes. @throws payload_too_large, invalid_request when the client breaks off */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  checkAnnouncedLength(req, limit);
  wantBody(req);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let seen = 0;
    const release = () => {
      req.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
    };
    const onData = (part: Buffer) => {
      seen += part.length;
      parts.push(part);
      if (seen <= limit) return;
      release();
      // Left unread and not destroyed: the client must be able to hear the answer.
      req.pause();
      reject(tooLarge(limit));
    };
    const onEnd = () => {
      release();
      resolve(Buffer.concat(parts, seen));
    };
    const onBroken = () => {
      release();
      reject(new CccError('invalid_request', 'The client broke off while it sent the body.'));
    };
    req.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/**
 * The body as a JSON value, beside the bytes it came in. An empty body is an empty object, so that a POST that needs
 * no fields needs no body.
 * @throws invalid_json, unsupported_media_type, payload_too_large
 */
export async function readJsonBody(
  req: IncomingMessage,
  limit: number,
): Promise<{ raw: Buffer; json: unknown }> {
  if (hasBody(req)) checkMediaType(req);
  const raw = await readBody(req, limit);
  return { raw, json: raw.length === 0 ? {} : parseJson(raw) };
}

/** Far more than any client nests, far less than what the recursion of checks and serialisers can take. */
const DEEPEST = 500;

/** Strict UTF-8 and strict JSON, not nested beyond reason. @throws invalid_json */
export function parseJson(raw: Buffer): unknown {
  if (isNestedDeeper(raw, DEEPEST)) {
    throw new CccError('invalid_json', `The body is nested more than ${String(DEEPEST)} levels deep.`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw)) as unknown;
  } catch (error) {
    throw new CccError('invalid_json', undefined, { cause: error });
  }
}

const [QUOTE, BACKSLASH, OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [
  0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d,
];

function isNestedDeeper(json: Buffer, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    // Most of a body is inside strings (pictures above all): those are skipped at the speed of memory.
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `from` has its closing quote; the end when it has none. */
function endOfString(json: Buffer, from: number): number {
  for (let at = json.indexOf(QUOTE, from + 1); at !== -1; at = json.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (json[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}

function checkMediaType(req: IncomingMessage): void {
  const [type = '', ...parameters] = (req.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='));
  const utf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (!utf8 || !/^application\/(?:[\w.-]+\+)?json$/.test(type.trim())) {
    throw new CccError('unsupported_media_type');
  }
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new CccError('unsupported_media_type', 'The body must be sent uncompressed.');
  }
}
