/** A text that must not leave this server. */
export interface Secret {
  bytes: Buffer;
  /** It is short enough to be a part of ordinary words: it is masked only where no letter or digit goes on from it. */
  alone: boolean;
}

/** From this length on a text is masked wherever it is. */
const LONG = 12;
const SHORTEST = 4;
/** What local servers are given for want of a key: `ollama`, `none`. */
const PLAIN_WORD = /^[a-z]{1,7}$/i;

/** A key or a password, however short; null for one that is no secret worth the name. */
export function keySecret(text: string): Secret | null {
  if (text.length >= LONG) return { bytes: Buffer.from(text), alone: false };
  if (text.length < SHORTEST || PLAIN_WORD.test(text)) return null;
  return { bytes: Buffer.from(text), alone: true };
}

/** What may hold a key and mostly holds none, such as the values of a query (`api-version=1`): a secret when it is long. */
export function longSecret(text: string): Secret | null {
  return text.length >= LONG ? keySecret(text) : null;
}

/** The text with every secret in it overwritten by asterisks. Some servers quote the key they refuse. */
export function masked(text: string, secrets: readonly Secret[]): string {
  const bytes = Buffer.from(text);
  return overwrite(bytes, secrets) ? bytes.toString() : text;
}

/** Of the longest one, in bytes. */
export function longestOf(secrets: readonly Secret[]): number {
  return Math.max(...secrets.map(({ bytes }) => bytes.length));
}

/**
 * Overwrites every secret, asterisk for byte, so that lengths stay.
 * @param before what stood before the first byte
 * @param isEnd false when more bytes follow: what stands alone is then known only with the byte behind it
 * @returns whether there was any
 */
export function overwrite(
  bytes: Buffer,
  secrets: readonly Secret[],
  before: Buffer = NOTHING,
  isEnd = true,
): boolean {
  let found = false;
  for (const { bytes: secret, alone } of secrets) {
    for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, at + 1)) {
      const end = at + secret.length;
      if (alone && !standsAlone(bytes, at, end, before, isEnd)) continue;
      bytes.fill('*', at, end);
      found = true;
    }
  }
  return found;
}

/** So much of what stands before a secret says whether it begins there: `\u0027` is the longest. */
export const BEFORE = 6;

/** The end of a word, or an escape of JSON or of an address whose letters are none of the text's. */
const ENDS_A_WORD = /(?:^|[^a-z\d]|\\[bfnrt]|\\u[\da-f]{4}|%[\da-f]{2})$/i;
const GOES_ON = /[a-z\d]/i;
const NOTHING = Buffer.alloc(0);

function standsAlone(bytes: Buffer, from: number, to: number, before: Buffer, isEnd: boolean): boolean {
  if (to === bytes.length && !isEnd) return false;
  if (GOES_ON.test(bytes.toString('latin1', to, to + 1))) return false;
  const near = bytes.subarray(Math.max(0, from - BEFORE), from);
  const all = near.length < BEFORE ? Buffer.concat([before, near]) : near;
  return ENDS_A_WORD.test(all.toString('latin1'));
}
