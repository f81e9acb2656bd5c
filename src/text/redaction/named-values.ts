import { isId, isPath, looksLikePassword, looksRandom } from './random-looking.ts';
import type { Hit, Rule } from './rule.ts';

/** Words that say that a secret follows. */
const NAMES = /passw(?:or)?d|passphrase|passwort|pwd|secret|token|key|credential|bearer|basic/gi;
/** The rest of the name, and what stands between it and its value. */
const BETWEEN = /[\w-]{0,20}["'`\\]{0,4}[ \t]{0,8}(?:=>|:=|=|:|(?<=[ \t])is(?=[ \t]))[ \t]{0,8}["'`\\]{0,4}/y;
/** `Authorization: Bearer …` (RFC 6750) and Basic (RFC 7617). */
const SCHEME = /[ \t]{1,8}/y;
/** `--api-key …`, `--password …`: options of commands. */
const OPTION = /(?:^|\s)--[\w-]{0,20}$/;
const AFTER_OPTION = /[\w-]{0,20}[ \t]{1,8}["'`\\]{0,2}/y;
const VALUE = /[A-Za-z0-9+/_.~-]{1,1024}={0,2}/y;
const PASSWORD = /[^\s"'`\\,;<>]{1,128}/y;
/** What stands right before `key`, `token` or `secret` where nothing else than a secret is meant. */
const SURE =
  /(?:api|app|access|account|admin|auth|bot|client|consumer|csrf|deploy|encryption|id|license|master|private|refresh|secret|secret[_ -]?access|service|session|shared|signing|sas|storage|subscription|webhook)[_ -]?$/i;
/** As far back as that is looked for. */
const BEFORE = 24;
/** Characters in which names are looked for between two pauses, and by which they overlap: no hit is longer. */
const WINDOW = 256 * 1024;

/** What a name says of its value. */
type Kind = 'password' | 'sure' | 'key' | 'scheme';

/** `name = value` where the name speaks of a secret and the value looks like one. */
export const namedValues: Rule = { beginning: null, search: searchNamed };

function* searchNamed(text: string): ReturnType<Rule['search']> {
  const hits: Hit[] = [];
  let through = 0;
  for (let start = 0; start < text.length; start += WINDOW) {
    // A word across the border of two windows is seen by the first: the second begins behind what was read.
    NAMES.lastIndex = Math.max(0, start);
    const window = start === 0 && text.length <= WINDOW ? text : text.slice(0, start + WINDOW + 16);
    for (let found = NAMES.exec(window); found !== null; found = NAMES.exec(window)) {
      const next = NAMES.lastIndex;
      if (found.index >= start + WINDOW) break;
      if (found.index < through) continue;
      const hit = valueAfter(text, found.index, next, found[0].toLowerCase());
      if (hit) {
        hits.push(hit);
        through = hit.to;
      }
      NAMES.lastIndex = Math.max(next, through);
    }
    yield;
  }
  return hits;
}

function valueAfter(text: string, at: number, end: number, name: string): Hit | null {
  const kind = kindOf(text, at, name);
  const from = beginningOfValue(text, at, end, kind);
  if (from === null) return null;
  const shape = kind === 'password' ? PASSWORD : VALUE;
  shape.lastIndex = from;
  const [read = ''] = shape.exec(text) ?? [];
  // The end of a sentence or of a bracket is no part of it.
  const value = read.replace(/[.)\]}]{1,3}$/, '');
  if (!accepts(kind, value)) return null;
  return { from, to: from + value.length, name: nameOf(kind) };
}

/** Where the value of a name begins; null when what follows is none. */
function beginningOfValue(text: string, at: number, end: number, kind: Kind): number | null {
  BETWEEN.lastIndex = end;
  if (kind !== 'scheme' && BETWEEN.test(text)) return BETWEEN.lastIndex;
  const isOption = OPTION.test(text.slice(Math.max(0, at - BEFORE), at));
  if (kind !== 'scheme' && !isOption) return null;
  const between = isOption ? AFTER_OPTION : SCHEME;
  between.lastIndex = end;
  return between.test(text) ? between.lastIndex : null;
}

function kindOf(text: string, at: number, name: string): Kind {
  if (/^pass|^pwd/.test(name)) return 'password';
  if (name === 'bearer' || name === 'basic') return 'scheme';
  if (name === 'secret' || name === 'credential') return 'sure';
  return SURE.test(text.slice(Math.max(0, at - BEFORE), at)) ? 'sure' : 'key';
}

function accepts(kind: Kind, value: string): boolean {
  if (kind === 'password') return looksLikePassword(value);
  // `key: turn_0192…` names something.
  if ((isId(value) && kind !== 'sure') || isPath(value)) return false;
  return looksRandom(value.replace(/=+$/, ''));
}

function nameOf(kind: Kind): string {
  return kind === 'password' ? 'password' : 'secret';
}

const FIELD = /(passw(?:or)?d|passphrase|passwort|pwd|secret|token|key|credential)s?$/i;

/** What the value of a field of this name is, when it is a secret; null when it is none. For texts inside of JSON. */
export function secretOfField(field: string, value: string): string | null {
  const [, name] = FIELD.exec(field) ?? [];
  if (name === undefined || /[\s[]/.test(value)) return null;
  const kind = kindOf(field, field.length - name.length, name.toLowerCase());
  // Fields that end in `key` or `token` name things far more often than they hold secrets (`thread_key`).
  if (kind === 'key' && !/^token$/i.test(field)) return null;
  return accepts(kind, value) ? nameOf(kind) : null;
}
