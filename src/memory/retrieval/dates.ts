import { parse } from 'chrono-node';

/** A stretch of time, in milliseconds since the epoch, UTC; `to` is not in it. */
export interface TimeSpan {
  from: number;
  to: number;
}

const DAY_MS = 86_400_000;
/** Without one of these there is no date in a question, and the parser, which takes its time, is not asked. */
const HINT =
  /\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)|\b(?:today|tonight|yesterday|tomorrow|last|past|this|next|previous|ago|weekend|weeks?|months?|years?|days?)\b/iu;

/** Years asked about alone ("in 2023"): no date for a parser, but one for a reader. */
const YEAR = /\b(?:19|20)\d\d\b/gu;

/**
 * The times that a question names: "on 8 May 2023" is that day, "in March" that month, of every year the session knows
 * when none is named, "last week" seven days around that time last week, "in 2023" the year. English; figures such as
 * 2023-05-08 in any language. What is relative is relative to `now`. All in UTC.
 */
export function timesNamed(question: string, now: number, session: TimeSpan): TimeSpan[] {
  // Long directives are not questions about a date.
  const text = question.slice(0, 500);
  if (!HINT.test(text)) return [];
  const spans = parse(text, { instant: new Date(now), timezone: 0 }, { forwardDate: false }).flatMap(
    ({ start, text: words }) => {
      const [year, month, day] = [
        start.get('year') ?? 1970,
        (start.get('month') ?? 1) - 1,
        start.get('day') ?? 1,
      ];
      const known = (part: 'year' | 'month' | 'day' | 'weekday') => start.isCertain(part);
      if (/\bweeks?\b/iu.test(words) && !known('day')) return [around(start.date().getTime())];
      const years = known('year') ? [year] : yearsOf(session);
      if (known('month') && known('day')) return years.map((each) => days(Date.UTC(each, month, day), 1));
      if (known('month')) {
        return years.map((each) => ({ from: Date.UTC(each, month, 1), to: Date.UTC(each, month + 1, 1) }));
      }
      if (known('day') || known('weekday')) return [days(Date.UTC(year, month, day), 1)];
      return [];
    },
  );
  if (spans.length > 0) return spans;
  return [...text.matchAll(YEAR)].map(([year]) => ({
    from: Date.UTC(Number(year), 0, 1),
    to: Date.UTC(Number(year) + 1, 0, 1),
  }));
}

function days(from: number, count: number): TimeSpan {
  return { from, to: from + count * DAY_MS };
}

function around(middle: number): TimeSpan {
  return { from: middle - 3.5 * DAY_MS, to: middle + 3.5 * DAY_MS };
}

/** At most a few: a session that spans centuries was not lived. */
function yearsOf({ from, to }: TimeSpan): number[] {
  const last = new Date(to).getUTCFullYear();
  const first = Math.max(new Date(from).getUTCFullYear(), last - 20);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** How long after a time one still speaks of it: the trip of last weekend, the talk of ten days ago. */
const SPOKEN_OF_MINUTES = 14 * 24 * 60;

/** 1 for a turn said in one of the spans, 0.5 for one said within two weeks after it, else 0. */
export function nearness(minute: number, spans: readonly TimeSpan[]): number {
  let best = 0;
  for (const { from, to } of spans) {
    const [first, end] = [from / 60_000, to / 60_000];
    if (minute >= first && minute < end) return 1;
    if (minute >= end && minute < end + SPOKEN_OF_MINUTES) best = 0.5;
  }
  return best;
}
