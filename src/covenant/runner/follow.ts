import type { CycleSignal, RunningCycle } from '../cycle-service.ts';

/**
 * Events of a running cycle after `afterSeq`, then what comes, until it rests or `signal` aborts. Pieces of text are
 * told for the step that is being written now; what is older is in the events.
 */
export async function* followRun(
  run: RunningCycle,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<CycleSignal> {
  let queue: CycleSignal[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const end = () => {
    ended = true;
    wake();
  };
  const unwatch = run.watch((said) => {
    // An event closes the text before it: a listener that has the event needs no pieces of it.
    if (said.kind === 'event') queue = queue.filter(({ kind }) => kind === 'event');
    if (said.kind === 'delta' || said.event.seq > afterSeq) queue.push(said);
    wake();
  });
  run.done.then(end, end);
  signal.addEventListener('abort', end, { once: true });
  try {
    for (;;) {
      const batch = queue;
      queue = [];
      if (signal.aborted) return;
      yield* batch;
      if (queue.length > 0) continue;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unwatch();
    signal.removeEventListener('abort', end);
  }
}
