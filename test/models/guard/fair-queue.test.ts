import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, QueueFull, type Release } from '../../../src/models/guard/fair-queue.ts';

const forever = new AbortController().signal;
/** Lets everyone who can come in come in. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a fair queue', () => {
  it('lets so many in at once, and the next when one leaves', async () => {
    const queue = new FairQueue({ atOnce: 2, mostWaiting: 10 });
    const [first] = [queue.enter('a', forever), queue.enter('a', forever)] as Release[];
    let third: Release | undefined;
    void Promise.resolve(queue.enter('a', forever)).then((release) => (third = release));
    await settled();
    expect([queue.inside, queue.waiting, third]).toEqual([2, 1, undefined]);
    first?.();
    first?.();
    await settled();
    expect([queue.inside, queue.waiting]).toEqual([2, 0]);
    expect(third).toBeDefined();
  });

  it('goes round the lanes: one who asks a hundred times keeps nobody waiting for more than a turn', async () => {
    const queue = new FairQueue({ atOnce: 1, mostWaiting: 1_000 });
    const order: string[] = [];
    const come = (lane: string) =>
      void Promise.resolve(queue.enter(lane, forever)).then(async (release) => {
        order.push(lane);
        await settled();
        release();
      });
    for (let i = 0; i < 100; i += 1) come('loud');
    come('quiet');
    come('shy');
    await expect.poll(() => order.length).toBe(102);
    expect(order.indexOf('quiet')).toBeLessThanOrEqual(2);
    expect(order.indexOf('shy')).toBeLessThanOrEqual(4);
  });

  it('refuses who would wait behind too many, and forgets who does not want to wait any more', async () => {
    const queue = new FairQueue({ atOnce: 1, mostWaiting: 1 });
    const release = queue.enter('a', forever) as Release;
    const patience = new AbortController();
    const waiting = queue.enter('b', patience.signal);
    expect(() => queue.enter('c', forever)).toThrow(QueueFull);
    patience.abort(new Error('hung up'));
    await expect(waiting).rejects.toThrow('hung up');
    expect(queue.waiting).toBe(0);
    const next = queue.enter('c', forever);
    release();
    (await next)();
    expect(queue.inside).toBe(0);
  });

  it('never lets more in than it should, and loses no place, whatever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ lane: fc.constantFrom('a', 'b', 'c'), hangsUp: fc.boolean() }), {
          maxLength: 40,
        }),
        async (atOnce, comers) => {
          const queue = new FairQueue({ atOnce, mostWaiting: 100 });
          let most = 0;
          await Promise.all(
            comers.map(async ({ lane, hangsUp }) => {
              const patience = new AbortController();
              const entering = queue.enter(lane, patience.signal);
              if (hangsUp) patience.abort(new Error('hung up'));
              try {
                const release = await entering;
                most = Math.max(most, queue.inside);
                await settled();
                release();
              } catch (error) {
                expect((error as Error).message).toBe('hung up');
              }
            }),
          );
          expect(most).toBeLessThanOrEqual(atOnce);
          expect([queue.inside, queue.waiting]).toEqual([0, 0]);
        },
      ),
      { numRuns: 50 },
    );
  });
});
