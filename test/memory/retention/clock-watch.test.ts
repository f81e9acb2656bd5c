import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { ClockWatch } from '../../../src/memory/retention/clock-watch.ts';
import { createRetention } from '../../../src/memory/retention/retention.ts';
import { openMemory, told } from '../support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('a clock that is set ahead', () => {
  const watched = () => {
    const time = { wall: Date.UTC(2026, 4, 8), steady: 0 };
    const pass = (ms: number) => {
      time.wall += ms;
      time.steady += ms;
    };
    return { time, pass, watch: new ClockWatch({ now: () => time.wall }, () => time.steady) };
  };

  it('is in doubt for an hour when it jumps by more than a day, and believed after that', () => {
    const { time, pass, watch } = watched();
    pass(40 * DAY);
    expect(watch.inDoubt()).toBe(false);
    time.wall += 400 * DAY;
    expect(watch.inDoubt()).toBe(true);
    pass(HOUR - 1);
    expect(watch.inDoubt()).toBe(true);
    pass(1);
    expect(watch.inDoubt()).toBe(false);
  });

  it('is believed again at once when it is set right', () => {
    const { time, pass, watch } = watched();
    time.wall += 400 * DAY;
    expect(watch.inDoubt()).toBe(true);
    pass(1_000);
    time.wall -= 400 * DAY;
    expect(watch.inDoubt()).toBe(false);
  });

  it('by less than a day, as when it was corrected, is not in doubt', () => {
    const { time, watch } = watched();
    time.wall += 2 * HOUR;
    expect(watch.inDoubt()).toBe(false);
    time.wall -= 2 * HOUR;
    expect(watch.inDoubt()).toBe(false);
  });

  it('deletes nothing for that: a server that keeps turns for 30 days still has today’s', async () => {
    const { dal, memory } = await openMemory();
    const { session } = await memory.createSession({});
    const conversationId = await told(memory, session.sessionId, 'Said today.');
    let jump = 0;
    const retention = createRetention({
      dal,
      days: 30,
      clock: { now: () => Date.now() + jump },
      logger: silentLogger,
      everyMs: 1,
    });
    const turns = async () =>
      (await dal.turns.list({ sessionId: session.sessionId, conversationId, fromNumber: 1, limit: 9 }))
        .length;
    jump = 400 * DAY;
    retention.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await retention.stop();
    expect(await turns()).toBe(1);
    // It has teeth: without the doubt they are gone.
    const bold = createRetention({
      dal,
      days: 30,
      clock: { now: () => Date.now() + jump },
      logger: silentLogger,
    });
    await bold.pass();
    expect(await turns()).toBe(0);
  });
});
