import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as greek } from '@orama/stemmers/greek';
import { stemmer as russian } from '@orama/stemmers/russian';
import { WORD_FORMS } from './word-forms.ts';

/** Words whose stems are remembered. A language's everyday words are fewer; the table is emptied when it is full. */
const REMEMBERED = 20_000;
const remembered = new Map<string, string>();

/**
 * The stem of one folded word, by its script, since a turn does not say its language: Snowball's English stemmer for
 * Latin letters (after irregular forms), its Russian one for Cyrillic, its Greek one for Greek. A French or German
 * word passes through the English stemmer, which takes little more from it than a plural s; question and turn are
 * treated alike, so the word itself is always found, only fewer of its forms. Other scripts are left as they are.
 */
export function stem(word: string): string {
  const known = remembered.get(word);
  if (known !== undefined) return known;
  const made = makeStem(word);
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(word, made);
  return made;
}

function makeStem(word: string): string {
  if (/^[a-z]+$/.test(word)) return english(baseForm(word));
  if (/^\p{Script=Cyrillic}+$/u.test(word)) return russian(word);
  if (/^\p{Script=Greek}+$/u.test(word)) return greek(word);
  return word;
}

/** "bought" is counted as "buy", "moms" as "mother". */
function baseForm(word: string): string {
  const direct = WORD_FORMS.get(word);
  if (direct !== undefined) return direct;
  return (word.endsWith('s') ? WORD_FORMS.get(word.slice(0, -1)) : undefined) ?? word;
}
