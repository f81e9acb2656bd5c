/** What the benchmark has begun, so that it can be ended however the benchmark ends. */
type End = () => unknown;

const ends: End[] = [];
let stopped = false;

/** Remembers how to end something. Ended is in the opposite order; what comes when all is being ended, at once. */
export function ending(end: End): void {
  ends.push(end);
  if (stopped) void endAll();
}

/** Ends all of it; what fails to end does not keep the rest from it. */
async function endAll(): Promise<void> {
  for (let end = ends.pop(); end; end = ends.pop()) {
    try {
      await end();
    } catch (error) {
      console.error(error);
    }
  }
}

/** Runs a benchmark, or a part of one, and ends all that it has begun. @throws what it throws, unless it is ended from outside */
export async function endingAll<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // What fails then fails because of that, and the process ends by itself.
    if (stopped) await new Promise(() => undefined);
    throw error;
  } finally {
    await endAll();
  }
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
