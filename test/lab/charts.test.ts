import { describe, expect, it } from 'vitest';
import type { Analytics } from '../../lab/api/insights.ts';
import { chartsOf } from '../../lab/insights/charts.ts';

const day = (name: string, cycles: number, approved: number) => ({
  day: name,
  cycles,
  approved,
  mean_rounds: 1.5,
  p50_seconds: 2,
  p95_seconds: 70,
});
const tokens = (name: string, agent: string, total: number) => ({
  day: name,
  agent,
  calls: 1,
  prompt_tokens: 0,
  completion_tokens: total,
  total_tokens: total,
});
const figures = (days: ReturnType<typeof day>[], calls: ReturnType<typeof tokens>[] = []): Analytics => ({
  conversations: 1,
  turns: 2,
  causes: null,
  cycle_figures: { total: 3, by_outcome: [], by_outcome_and_rounds: [], by_day: days },
  tokens: { by_agent: [], by_day: calls },
  lessons: null,
});
const chart = (of: Analytics, title: string) => {
  const found = chartsOf(of).find((one) => one.title === title);
  if (!found) throw new Error(`There is no chart ${title}.`);
  return { ...found, rows: Object.fromEntries(found.series.map(({ name, values }) => [name, values])) };
};

describe('the charts of the insights', () => {
  it('show a pause as one: each day has its place, also over the end of a month', () => {
    const { days, rows } = chart(figures([day('2026-02-27', 3, 2), day('2026-03-02', 1, 1)]), 'Cycles');
    expect(days).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']);
    expect(rows).toEqual({ Approved: [2, null, null, 1], 'Not approved': [1, null, null, 0] });
  });

  it('add up what an agent has taken on a day, and tell nothing of days without calls', () => {
    const calls = [
      tokens('2026-05-03', 'codey', 5),
      tokens('2026-05-01', 'codey', 10),
      tokens('2026-05-01', 'beatrice', 7),
      tokens('2026-05-01', 'codey', 20),
    ];
    const { days, rows } = chart(figures([], calls), 'Tokens');
    expect(days).toEqual(['2026-05-01', '2026-05-02', '2026-05-03']);
    expect(rows).toEqual({ Beatrice: [7, null, null], Codey: [30, null, 5] });
  });

  it('say times as people read them', () => {
    const { say, rows } = chart(figures([day('2026-05-01', 1, 1)]), 'Time');
    expect(Object.values(rows).map(([value]) => say(value ?? 0))).toEqual(['2.0 s', '1 min 10 s']);
  });

  it('stay small when a wrong clock has written a day of another century', () => {
    const { days } = chart(figures([day('0970-01-01', 1, 1), day('2026-05-01', 1, 0)]), 'Rounds');
    expect(days).toEqual(['0970-01-01', '2026-05-01']);
  });

  it('are none where there are no figures, or none yet', () => {
    expect(chartsOf(figures([]))).toEqual([]);
    expect(chartsOf({ ...figures([]), cycle_figures: null, tokens: null })).toEqual([]);
  });
});
