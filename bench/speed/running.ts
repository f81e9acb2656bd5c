/** What the benchmark has begun, so that it can be ended however the benchmark ends. */
type End = () => unknown;

const ends: End[] = [];

/** Remembers how to end something. Ended is in the opposite order. */
export function ending(end: End): void {
  ends.push(end);
}

/** Ends all of it; what fails to end does not keep the rest from it. */
export async function endAll(): Promise<void> {
  for (let end = ends.pop(); end; end = ends.pop()) {
    try {
      await end();
    } catch (error) {
      console.error(error);
    }
  }
}

let stopped = false;

/** Whether the benchmark is being ended from outside: what fails then fails because of that. */
export function isStopped(): boolean {
  return stopped;
}

/** Ends all of it too when the benchmark is interrupted, or takes longer than it may. */
export function endWhenStopped(limitMs: number): void {
  const stop = (words: string, code: number) => {
    stopped = true;
    console.error(`\n${words}`);
    void endAll().then(() => process.exit(code));
  };
  process.once('SIGINT', () => {
    stop('Interrupted.', 130);
  });
  process.once('SIGTERM', () => {
    stop('Ended.', 143);
  });
  setTimeout(() => {
    stop(`Not done after ${String(limitMs / 1000)} s: given up.`, 1);
  }, limitMs).unref();
}
