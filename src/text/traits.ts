import { TRAIT } from './term-counts.ts';

/** A question mark with nothing after it but closing signs, a picture, or one note in brackets (a photo's caption). */
const ASKS = /[?？؟][\p{Pe}\p{Pf}\p{Po}\p{So}\s"']*(?:\[[^\]]*\]\s*)?$/u;
/** English words of time, and figures that look like a date or a year. Other languages: only the figures. */
const TIME =
  /\b(?:yesterday|today|tonight|tomorrow|last|next|ago|since|recently|week(?:end)?s?|months?|years?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july|august|september|october|november|december|(?:19|20)\d\d|\d{1,2}(?:st|nd|rd|th)|\d{1,4}[./-]\d{1,2}[./-]\d{1,4})\b/iu;
const NUMBER =
  /\p{N}|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|once|twice|couple|second|third)\b/iu;
/** Traits are looked for in this many characters at each end of a text: what it says and how it closes. */
const LOOKED_AT = 4_000;

export function traitsOf(text: string): number {
  const head = text.slice(0, LOOKED_AT);
  return (
    (ASKS.test(text.slice(-400)) ? TRAIT.asks : 0) |
    (TIME.test(head) ? TRAIT.tellsTime : 0) |
    (NUMBER.test(head) ? TRAIT.tellsNumber : 0)
  );
}
