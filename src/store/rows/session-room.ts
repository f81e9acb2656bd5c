import { CccError } from '../../base/ccc-error.ts';
import type { MostTurns } from '../records.ts';

/** @throws session_full when the session has no room for these turns, or none for any */
export function requireRoom(session: {
  totalTurns: number;
  added: number;
  maxTurns: MostTurns | undefined;
}): void {
  const { totalTurns, added, maxTurns } = session;
  if (maxTurns === undefined || totalTurns + Math.max(1, added) <= maxTurns) return;
  throw new CccError(
    'session_full',
    `The session holds ${String(totalTurns)} turns and may hold ${String(maxTurns)} (CCC_SESSION_MAX_TURNS).`,
    { param: 'session_id' },
  );
}
