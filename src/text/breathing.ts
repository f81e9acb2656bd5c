/** Longest stretch of work between two moments at which others have their turn, in milliseconds. */
const STRETCH_MS = 5;

/**
 * For work in many small steps: await what this gives after each step. It costs nothing until the steps since the last
 * pause have taken some milliseconds; then the event loop has a turn.
 */
export function breathing(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < STRETCH_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}
