import { describe, expect, it } from 'vitest';
import { nearness, timesNamed } from '../../../src/memory/retrieval/dates.ts';

/** A Monday. */
const NOW = Date.UTC(2026, 10, 23, 12);
const session = () => ({ from: Date.UTC(2025, 5, 1), to: NOW });
const day = (time: number) => new Date(time).toISOString().slice(0, 10);
const named = (question: string) =>
  timesNamed(question, NOW, session).map(({ from, to }) => `${day(from)} ${day(to)}`);

describe('the times that a question names', () => {
  it.each([
    ['What happened on 8 May 2023?', ['2023-05-08 2023-05-09']],
    ['What happened on May 8th, 2023?', ['2023-05-08 2023-05-09']],
    ['What happened on the 8th of May, 2023?', ['2023-05-08 2023-05-09']],
    ['What is in the log of 2023-05-08?', ['2023-05-08 2023-05-09']],
    ['Where was she in July 2023?', ['2023-07-01 2023-08-01']],
    ['How often in 2023?', ['2023-01-01 2024-01-01']],
    ['Where were we in March?', ['2025-03-01 2025-04-01', '2026-03-01 2026-04-01']],
    ['What did he give me on Aug 15th?', ['2025-08-15 2025-08-16', '2026-08-15 2026-08-16']],
    ['What did I say yesterday?', ['2026-11-22 2026-11-23']],
    ['What did I say last week?', ['2026-11-13 2026-11-20']],
    ['What did I do last weekend?', ['2026-11-21 2026-11-23']],
    ['What did I say last Friday?', ['2026-11-20 2026-11-21']],
    ['What did I say on Monday?', ['2026-11-16 2026-11-17']],
    ['What did I say last month?', ['2026-10-01 2026-11-01']],
    ['What did I say three days ago?', ['2026-11-20 2026-11-21']],
    ['What did I say a couple of weeks ago?', ['2026-11-06 2026-11-13']],
    ['Between 3 June 2026 and 5 June 2026?', ['2026-06-03 2026-06-04', '2026-06-05 2026-06-06']],
  ])('%s', (question, spans) => {
    expect(named(question)).toEqual(spans);
  });

  it.each([
    'May I march on?',
    'What about part 20231 of may.ts?',
    'Who will second the motion?',
    'What is the plan?',
    '',
  ])('names none in %j', (question) => {
    expect(named(question)).toEqual([]);
  });

  it('is near while the time lasts, half near for two weeks after it, and not before it', () => {
    const spans = timesNamed('on 8 May 2026', NOW, session);
    const at = (month: number, date: number) => nearness(Date.UTC(2026, month, date, 12) / 60_000, spans);
    expect([at(4, 7), at(4, 8), at(4, 9), at(4, 21), at(4, 24)]).toEqual([0, 1, 0.5, 0.5, 0]);
  });
});
