/** Where the time comes from. Passed in, so that a test can stand still or jump. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** ISO-8601 in UTC with milliseconds and `Z`, the one form in which times leave this server. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
