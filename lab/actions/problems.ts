import { ApiError } from '../api/http.ts';
import { api } from '../api/client.ts';
import { UPSTREAM_REFUSES } from '../state/key.ts';
import { closed } from '../text/words.ts';
import { connected, health, problem, type Problem } from '../state/model.ts';

/** Time between two looks whether the server is back, in milliseconds. */
const LOOK_AGAIN_MS = 2_000;

/** Says what went wrong and what can be done. What was typed stays where it is. */
export function tell(error: unknown, action?: Problem['action']): void {
  problem.value = { text: words(error), ...(action ? { action } : {}) };
  if (error instanceof ApiError && error.status === 0) waitForServer();
}

/** Runs something that talks to the server; a failure is told. True when it went well. */
export async function trying(work: () => Promise<unknown>, again = false): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    tell(error, again ? { label: 'Try again', run: () => void trying(work, true) } : undefined);
    return false;
  }
}

function words(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const text = closed(error.message);
  if (error.status === 0)
    return `${text} What you typed is kept; the page goes on by itself when it is back.`;
  if (error.status === 429) {
    const wait = error.retryAfter === null ? 'in a moment' : `in ${String(error.retryAfter)} s`;
    return `Too many requests: ${text} Try again ${wait}.`;
  }
  if (error.refused === 'ours') return `${text} Give it above.`;
  if (error.refused === 'upstreams') return `${UPSTREAM_REFUSES} It says: ${text}`;
  if (error.status === 403) return `${text} Check the key in the server's settings.`;
  return text;
}

let gone: (error: unknown) => void = tell;

/** Says what happens when something that the page shows is found not to exist any more. */
export function whenGone(run: (error: unknown) => void): void {
  gone = run;
}

export function tellGone(error: unknown): void {
  gone(error);
}

const backAgain: (() => void)[] = [];

/** Runs once, the next time the server is back after having been gone. */
export function whenBack(run: () => void): void {
  backAgain.splice(0, backAgain.length, run);
}

let waiting = false;

/** Looks now and then whether the server is back, and then goes on. */
export function waitForServer(): void {
  connected.value = false;
  if (waiting) return;
  waiting = true;
  const look = async () => {
    try {
      health.value = await api.health();
    } catch {
      window.setTimeout(() => void look(), LOOK_AGAIN_MS);
      return;
    }
    waiting = false;
    connected.value = true;
    problem.value = null;
    for (const run of backAgain) run();
  };
  window.setTimeout(() => void look(), LOOK_AGAIN_MS);
}
