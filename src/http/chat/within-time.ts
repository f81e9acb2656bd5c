/** Something took longer than anybody waits for it. It may be done all the same, later. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

/** Waits for a promise, but not longer than `ms` milliseconds: memory must not hold up an answer. @throws TookTooLong */
export async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TookTooLong(`took longer than ${String(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
