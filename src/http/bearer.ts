import type { IncomingMessage } from 'node:http';

/** The key or token that a request brings as `Authorization: Bearer`; null when it brings none. */
export function bearer(req: IncomingMessage): string | null {
  return /^Bearer\s+(\S+)\s*$/i.exec(req.headers.authorization ?? '')?.[1] ?? null;
}
