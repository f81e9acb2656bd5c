import type { CycleEventRecord, CycleRecord } from '../../store/cycle-store.ts';
import type { NoticeListener } from '../../store/shared-record.ts';
import type { CycleSignal } from '../cycle-service.ts';

/** The longest wait for a notice before the record is looked at anyway, in milliseconds. */
const LOOK_MS = 5_000;

/**
 * Events of a cycle that runs on another server, after `afterSeq`, until it rests, is erased, or `signal` aborts. It listens
 * before it reads, so nothing is lost between the two; a notice only says that there may be something to read.
 */
export async function* followElsewhere(
  deps: {
    listen(listener: NoticeListener): () => void;
    cycle(cycleId: string): Promise<CycleRecord | null>;
    events(cycle: CycleRecord, afterSeq: number): Promise<CycleEventRecord[]>;
  },
  cycleId: string,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<CycleSignal> {
  let told: boolean;
  let wake: () => void = () => undefined;
  const tell = () => {
    told = true;
    wake();
  };
  const unlisten = deps.listen({
    heard: (notice) => {
      if (notice.kind === 'cycle' && notice.cycleId === cycleId) tell();
      if (notice.kind === 'erased') tell();
    },
    missed: tell,
  });
  signal.addEventListener('abort', tell, { once: true });
  let last = afterSeq;
  try {
    while (!signal.aborted) {
      told = false;
      // The state before the events: what is stored between the two is told of, and read in the next turn.
      const cycle = await deps.cycle(cycleId);
      if (!cycle) return;
      for (const event of await deps.events(cycle, last)) {
        last = event.seq;
        yield { kind: 'event', event };
      }
      if (cycle.outcome !== null) return;
      if (told) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', tell);
  }
}
