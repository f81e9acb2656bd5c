/** Letters that Unicode does not take apart into a base letter and an accent. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
  ς: 'σ',
};
const LETTER = /[ßæœøđðþłħıς]/gu;

/**
 * Accents of Latin, Greek and Cyrillic; vowel points of Hebrew and Arabic; the tatweel. Marks of other scripts (the
 * vowels of Devanagari or Thai, the voicing of kana) make another letter, and stay. So does the breve: и is not й.
 */
const MARKS = /[\u0300-\u0305\u0307-\u036F\u0591-\u05C7\u0610-\u061A\u064B-\u065F\u0670\u0640]/gu;
const BREVE_ELSEWHERE = /(?<![иИ])\u0306/gu;

/** Lower case without accents, so that a word is found however carefully it was typed. Expects NFKC. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (isAscii(lower)) return lower;
  return lower
    .replaceAll(LETTER, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFD')
    .replaceAll(MARKS, '')
    .replaceAll(BREVE_ELSEWHERE, '')
    .normalize('NFC');
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
