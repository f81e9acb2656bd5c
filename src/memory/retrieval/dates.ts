/** A stretch of time, in milliseconds since the epoch, UTC; `to` is not in it. */
export interface TimeSpan {
  from: number;
  to: number;
}

const DAY_MS = 86_400_000;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const COUNTS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  few: 3,
  couple: 2,
};

const MONTH =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?';
const YEAR = '((?:19|20)\\d\\d)';
const pattern = (source: string) => new RegExp(`(?<![\\p{L}\\p{N}])${source}(?!\\.?[\\p{L}\\p{N}])`, 'giu');

type Reader = (match: readonly (string | undefined)[], now: number, years: () => number[]) => TimeSpan[];

/** Forms of dates, the most telling first: what one has read, no later one reads again. */
const FORMS: [RegExp, Reader][] = [
  [
    pattern(`${YEAR}-(\\d{1,2})-(\\d{1,2})`),
    ([, year, month, day]) => [oneDay(year, Number(month) - 1, day)],
  ],
  [
    pattern(`${DAY}(?: of)? ${MONTH},? ?${YEAR}`),
    ([, day, month, year]) => [oneDay(year, monthOf(month), day)],
  ],
  [pattern(`${MONTH} ${DAY},? ?${YEAR}`), ([, month, day, year]) => [oneDay(year, monthOf(month), day)]],
  [pattern(`${MONTH},? (?:of )?${YEAR}`), ([, month, year]) => [oneMonth(Number(year), monthOf(month))]],
  [
    pattern(`${DAY}(?: of)? ${MONTH}`),
    ([, day, month], _now, years) => years().map((year) => oneDay(year, monthOf(month), day)),
  ],
  [
    pattern(`${MONTH} ${DAY}`),
    ([, month, day], _now, years) => years().map((year) => oneDay(year, monthOf(month), day)),
  ],
  [
    pattern(`${YEAR}`),
    ([, year]) => [{ from: Date.UTC(Number(year), 0, 1), to: Date.UTC(Number(year) + 1, 0, 1) }],
  ],
  [
    pattern(
      '(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|(?:a )?few|(?:a )?couple(?: of)?) (day|week|month|year)s? ago',
    ),
    ([, count, unit], now) => [
      ago(now, COUNTS[count?.replace(/^a (?=\w)| of$/gu, '') ?? ''] ?? Number(count), unit),
    ],
  ],
  [
    pattern('(?:last|past|previous|this) (week|weekend|month|year)'),
    ([words, unit], now) => [period(now, unit, words?.startsWith('this') ? 0 : 1)],
  ],
  [
    pattern('(?:last |on |past )(sun|mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?)day'),
    ([, weekday], now) => [lastWeekday(now, weekday)],
  ],
  [pattern('yesterday'), (_match, now) => [dayAt(now - DAY_MS)]],
  [pattern('(?:today|tonight|this morning)'), (_match, now) => [dayAt(now)]],
  // A month alone, and "may" and "march" only where a word before them says that they are months.
  [
    pattern(`(?:in|during|since|last|this|early|late|mid|of|by) ${MONTH}`),
    ([, month], _now, years) => years().map((year) => oneMonth(year, monthOf(month))),
  ],
];

/** A question of this many characters is a directive with a file in it; only its beginning may ask for a time. */
const LOOKED_AT = 500;

/**
 * The times that a question names: "on 8 May 2023" is that day, "in March" that month, of every year the session knows
 * when none is named, "last week" the seven days around this time last week, "in 2023" the year. English, and figures
 * such as 2023-05-08. What is relative is relative to `now` (milliseconds since the epoch). All in UTC.
 */
export function timesNamed(question: string, now: number, session: () => TimeSpan): TimeSpan[] {
  let text = question.slice(0, LOOKED_AT);
  const spans: TimeSpan[] = [];
  for (const [form, read] of FORMS) {
    text = text.replace(form, (...args: unknown[]) => {
      const groups = args.slice(
        0,
        args.findIndex((arg) => typeof arg === 'number'),
      ) as (string | undefined)[];
      spans.push(
        ...read(
          groups.map((group) => group?.toLowerCase()),
          now,
          () => yearsOf(session()),
        ),
      );
      return ' ';
    });
  }
  return spans.filter(({ from, to }) => from < to);
}

function monthOf(name: string | undefined): number {
  return MONTHS.indexOf((name ?? '').slice(0, 3));
}

function oneDay(year: string | number | undefined, month: number, day: string | undefined): TimeSpan {
  const from = Date.UTC(Number(year), month, Number(day));
  return { from, to: from + DAY_MS };
}

function oneMonth(year: number, month: number): TimeSpan {
  return { from: Date.UTC(year, month, 1), to: Date.UTC(year, month + 1, 1) };
}

function dayAt(time: number): TimeSpan {
  const from = Math.floor(time / DAY_MS) * DAY_MS;
  return { from, to: from + DAY_MS };
}

/** So long ago, as exactly as one speaks: "two weeks ago" is half a week to either side. */
function ago(now: number, count: number, unit: string | undefined): TimeSpan {
  if (unit === 'day') return dayAt(now - count * DAY_MS);
  const length = { week: 7, month: 30, year: 365 }[unit ?? ''] ?? 1;
  const middle = now - count * length * DAY_MS;
  return { from: middle - (length / 2) * DAY_MS, to: middle + (length / 2) * DAY_MS };
}

function period(now: number, unit: string | undefined, back: number): TimeSpan {
  const date = new Date(now);
  if (unit === 'month') return oneMonth(date.getUTCFullYear(), date.getUTCMonth() - back);
  if (unit === 'year') {
    const year = date.getUTCFullYear() - back;
    return { from: Date.UTC(year, 0, 1), to: Date.UTC(year + 1, 0, 1) };
  }
  if (unit === 'weekend') {
    const saturday = dayAt(now - ((date.getUTCDay() + 1) % 7) * DAY_MS).from;
    return { from: saturday, to: saturday + 2 * DAY_MS };
  }
  return back === 0 ? { from: now - 7 * DAY_MS, to: now + DAY_MS } : ago(now, 1, 'week');
}

function lastWeekday(now: number, name: string | undefined): TimeSpan {
  const wanted = WEEKDAYS.indexOf((name ?? '').slice(0, 3));
  const back = (new Date(now).getUTCDay() - wanted + 7) % 7 || 7;
  return dayAt(now - back * DAY_MS);
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
