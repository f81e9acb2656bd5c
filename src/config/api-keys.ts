/** Someone who may call this server, as `CCC_API_KEYS` names them. The key itself is known to nobody but its holder. */
export interface ApiKey {
  /** Appears in the log. */
  name: string;
  /** SHA-256 of the key, 32 bytes. A key has 256 random bits, so there is nothing to guess and no salt is needed. */
  hash: Buffer;
  /** Most requests a minute; null when only the server's own limit holds. */
  perMinute: number | null;
  /** Most tokens a day (UTC); null when only the server's own limit holds. */
  tokensPerDay: number | null;
}

const ENTRY = /^([\w.-]{1,64}):([\da-f]{64})(?::(\d{1,7})\/min)?(?::(\d{1,12})tokens\/day)?$/i;

/** What the check of a wrong entry says. The entry is not quoted: someone may have put the key itself there. */
export const ENTRY_FORM =
  'each entry must be name:hash, and then :60/min or :100000tokens/day or both, as `npm run api-key -- name` prints it';

/** Reads `name:hash`, then `:60/min` and `:100000tokens/day`, either of which may be left out. Null when it is none of these. */
export function parseApiKey(entry: string): ApiKey | null {
  const [, name, hash, perMinute, tokensPerDay] = ENTRY.exec(entry) ?? [];
  if (name === undefined || hash === undefined) return null;
  return {
    name,
    hash: Buffer.from(hash, 'hex'),
    perMinute: perMinute === undefined ? null : Number(perMinute),
    tokensPerDay: tokensPerDay === undefined ? null : Number(tokensPerDay),
  };
}
