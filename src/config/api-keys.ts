/** Someone who may call this server, as `CCC_API_KEYS` names them. The key itself is known to nobody but its holder. */
export interface ApiKey {
  /** Appears in the log. */
  name: string;
  /** SHA-256 of the key, 32 bytes. A key has 256 random bits, so there is nothing to guess and no salt is needed. */
  hash: Buffer;
  /** Most requests a minute; null when only the server's own limit holds. */
  perMinute: number | null;
}

const ENTRY = /^([\w.-]{1,64}):([\da-f]{64})(?::(\d{1,7})\/min)?$/i;

/** What the check of a wrong entry says. The entry is not quoted: someone may have put the key itself there. */
export const ENTRY_FORM =
  'each entry must be name:hash or name:hash:60/min, as `npm run api-key -- name` prints it';

/** Reads `name:hash` or `name:hash:60/min`. Null when it is neither. */
export function parseApiKey(entry: string): ApiKey | null {
  const [, name, hash, perMinute] = ENTRY.exec(entry) ?? [];
  if (name === undefined || hash === undefined) return null;
  return {
    name,
    hash: Buffer.from(hash, 'hex'),
    perMinute: perMinute === undefined ? null : Number(perMinute),
  };
}
