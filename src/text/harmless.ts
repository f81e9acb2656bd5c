import { remembered } from './remembered.ts';

/**
 * What a text could use to pose as something else than text: characters that nobody sees, marks by which model servers
 * tell roles apart, and look-alikes of both. All of it reads the same afterwards, to a person and to a model.
 */

/** A flag such as Scotland's is written with tag characters; anywhere else they hide words that only a model reads. */
const FLAG_OR_TAG = /(\u{1F3F4}[\u{E0061}-\u{E007A}]{1,6}\u{E007F})|[\u{E0000}-\u{E007F}]/gu;
/** One of them chooses how the character before it looks; a run of them hides bytes. */
const VARIATIONS = /[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]{2,}/gu;
/**
 * Orders to write from the other side (Unicode TR 36, "Trojan Source"), and characters without width. Joiners
 * (U+200C, U+200D) and the marks for single words (U+200E, U+200F) belong to scripts and emoji, and stay.
 */
const UNSEEN =
  /[\u00AD\u115F\u1160\u180E\u200B\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0]|\u034F|\u17B4|\u17B5/gu;
/** A joiner between plain letters and signs joins nothing. */
const STRAY_JOINER = /(?<=[\u0020-\u007E])[\u200C\u200D]+(?=[\u0020-\u007E])/gu;

/** The text with what nobody sees taken out. */
export function seen(text: string): string {
  return text
    .replaceAll(FLAG_OR_TAG, '$1')
    .replaceAll(VARIATIONS, '')
    .replaceAll(UNSEEN, '')
    .replaceAll(STRAY_JOINER, '');
}

/** Beginnings of marks: `<|im_start|>` and its like (ChatML, Llama 3, Phi), also with DeepSeek's wide bars. */
const BAR_MARK = /<(?=[|｜][^\n<>|｜]{1,40}[|｜]>)/gu;
/** `[INST]` and `<<SYS>>` (Llama 2, Mistral). */
const INST_MARK = /\[(?=\s*\/?\s*(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\s*\])/giu;
const SYS_MARK = /<<(?=\s*\/?\s*SYS\s*>>)/giu;
/** Tags that stand for roles, turns and calls of tools in the templates and answers of one model or another. */
const ROLE_TAG =
  /<(?=\s*\/?\s*(?:s|bos|eos|start_of_turn|end_of_turn|im_start|im_end|system|developer|assistant|human|user|model|tool|tool_call|tool_calls|tool_response|tool_result|function_call|function_calls|function_results|invoke|think)(?:\s[^<>\n]{0,80})?>)/giu;

/** The text with the marks of chat templates made harmless: some servers take them for real wherever they stand. */
export function withoutRoleMarks(text: string): string {
  return text
    .replaceAll(BAR_MARK, '‹')
    .replaceAll(INST_MARK, '［')
    .replaceAll(SYS_MARK, '‹‹')
    .replaceAll(ROLE_TAG, '‹');
}

/** What a front end would load when a model repeats it: an address in it tells its owner what a model was made to add. */
const IMAGE = /!(?=\[[^[\]\n]{0,120}\]\s?[([])/gu;
const LOADED_TAG =
  /<(?=\s*(?:img|image|iframe|script|link|object|embed|video|audio|svg|style|base|meta|form)\b)/giu;

/** Remembered images and pages are told of, not shown: their addresses stay, as text. */
export function withoutImages(text: string): string {
  return text.replaceAll(IMAGE, '! ').replaceAll(LOADED_TAG, '‹');
}

/** Names that are an agent's or a role's: nobody else may go by them. */
const TAKEN_NAME = /^(?:beatrice|codey|wykeve|assistant|system|developer|user|tool|supervisor|the person)\b/i;
const LONGEST_NAME = 60;
/** Names that are remembered, in characters: those who speak are few, and each turn names one. */
const NAMES_REMEMBERED = 50_000;
/** White space, control characters, and what delimits an entry or a tag, wide or not. */
const NOT_IN_NAMES = /[\s\p{Cc}[\]:<>|［］：＜＞﹤﹥｜]+/gu;

/** A name as it may stand before what somebody said: in one line, and nobody's who is not it. Empty when nothing is left. */
export const plainName: (name: string) => string = remembered((name) => {
  const inOneLine = seen(name).replaceAll(NOT_IN_NAMES, ' ').trim();
  const plain = lettersAsTheyLook(inOneLine).slice(0, LONGEST_NAME);
  return TAKEN_NAME.test(plain) ? `someone called ${plain}` : plain;
}, NAMES_REMEMBERED);

/** Letters of other scripts that look like Latin ones, in words that mix scripts. Source: Unicode TR 39, confusables. */
const LOOK_ALIKE: Record<string, string> = {
  а: 'a',
  в: 'b',
  е: 'e',
  ё: 'e',
  һ: 'h',
  і: 'i',
  ї: 'i',
  ј: 'j',
  к: 'k',
  ӏ: 'l',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  ѕ: 's',
  с: 'c',
  т: 't',
  у: 'y',
  х: 'x',
  ԁ: 'd',
  ԛ: 'q',
  ԝ: 'w',
  ѵ: 'v',
  ɡ: 'g',
  α: 'a',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  ı: 'i',
  ո: 'n',
  ս: 'u',
  օ: 'o',
};

/** A word in small plain letters, as it looks rather than as it is spelt: for comparing with names. */
export function looksLike(word: string): string {
  return Array.from(
    word.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase(),
    (letter) => LOOK_ALIKE[letter] ?? letter,
  ).join('');
}

/** A name that would be taken if its letters were those that they look like is written with these. */
function lettersAsTheyLook(name: string): string {
  return !TAKEN_NAME.test(name) && TAKEN_NAME.test(looksLike(name)) ? looksLike(name) : name;
}
