import { createHash, randomBytes } from 'node:crypto';

/** What a session's token begins with, so that a leaked one can be recognised. */
export const TOKEN_PREFIX = 'ccc_sess_';

/** A new token: 256 random bits. It is shown once; only its hash is stored. */
export function newToken(): string {
  return TOKEN_PREFIX + randomBytes(32).toString('base64url');
}

/**
 * SHA-256 of a token. No salt and no slow hash: 256 random bits cannot be guessed, and the hash has to be found by
 * equality.
 */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
