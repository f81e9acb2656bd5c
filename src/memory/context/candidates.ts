import type { TurnRecord } from '../../store/records.ts';
import { breathing } from '../../text/breathing.ts';
import { remembered } from '../../text/remembered.ts';
import { STOP_WORDS } from '../../text/stop-words.ts';
import type { ContextTurn } from './context-types.ts';

/** Kinds that are the work between a directive and its answer; the answer says what came of it. */
const INNER_KINDS = new Set<TurnRecord['kind']>(['guidance', 'draft', 'verdict']);
/** What a step of the work weighs beside what was said. */
const INNER_WEIGHT = 0.4;
/** And it is shown only where it bears at least a quarter as much on the directive as the best that was found. */
const LEAST_INNER = INNER_WEIGHT / 4;

/** A turn that was said to somebody, not a step of the work. */
export function isSaid(turn: Pick<TurnRecord, 'kind'>): boolean {
  return !INNER_KINDS.has(turn.kind);
}

/** The candidates with the steps of a cycle's work weighed down. */
export function weighed(candidates: ContextTurn[]): ContextTurn[] {
  return candidates.map((candidate) =>
    isSaid(candidate.turn)
      ? candidate
      : {
          ...candidate,
          score: candidate.score * INNER_WEIGHT,
          parts: { ...candidate.parts, inner_work: INNER_WEIGHT },
        },
  );
}

/** English words by which work is judged or sent back. A review that has no other words tells nobody anything later. */
const JUDGING_WORDS = new Set(
  (
    'approve approved approves accept accepted acceptable ok okay yes no good fine great excellent perfect well done right ' +
    'correct correctly complete completed ready revise revised revision revisions reject rejected rework redo again better ' +
    'improve improved decide decides decision person pass passes passed fail failed met unmet unknown criterion criteria ' +
    'issue issues blocker major minor nit problem problems none nothing found draft answer work looks look seems deliver ' +
    'delivered go ahead please thanks thank you verdict review reviewed see above below needs need must change changes ' +
    'still everything all lgtm proceed continue'
  ).split(' '),
);
/** Longer than this, a review says something, in characters. */
const LONGEST_BARE = 400;

/** Whether a turn tells more than that work was approved or sent back: "Approved." alone is not worth remembering. */
export function tellsSomething({ kind, content }: Pick<TurnRecord, 'kind' | 'content'>): boolean {
  if ((kind !== 'verdict' && kind !== 'guidance') || content.length > LONGEST_BARE) return true;
  const words = content.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  // A number, or the id of a criterion such as c2, is no word.
  return words.some(
    (word) => !JUDGING_WORDS.has(word) && !STOP_WORDS.has(word) && !/^\p{L}?\p{N}+$/u.test(word),
  );
}

/** From this length on, in characters, texts are compared by their two ends and their length. */
const LONG = 4_000;

/** A text without what does not change its meaning: for telling whether it was said already. */
export function comparable(text: string): string {
  if (text.length > LONG) {
    return `${plain(text.slice(0, LONG / 4))}\n${plain(text.slice(-LONG / 4))}\n${String(text.length)}`;
  }
  return text.length > SHORT ? plainOnce(text) : plain(text);
}

/** Up to this length, in characters, a text is made plain in less time than it takes to remember it. */
const SHORT = 1_000;
/** Blanks that are not one single space already. */
const BLANKS = /\s{2,}|[^\S ]/gu;

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(BLANKS, ' ').trim();
}

/** Every candidate of every context comes through here. */
const plainOnce = remembered(plain);

const NUMBER = /\d+/g;

/**
 * By what a comparable text is told from others. A question tells nothing but what is asked: with another date or number in it, as
 * some programs put one before each, it is the same question.
 */
export function sameness(comparableText: string): string {
  return comparableText.endsWith('?') ? comparableText.replace(NUMBER, '#') : comparableText;
}

/**
 * The candidates worth showing, best first, those that stand `before` the others ahead of them: not what the client
 * has sent itself, each turn and the same words only once, no bare verdict, and no draft of a cycle whose answer is there.
 */
export async function worthShowing(
  before: ContextTurn[],
  others: ContextTurn[],
  alreadySent: string[],
  asStored: (text: string) => string = (text) => text,
): Promise<ContextTurn[]> {
  const breathe = breathing();
  const ranked = [...before, ...others.toSorted((a, b) => b.score - a.score)];
  const texts: string[] = [];
  for (const { turn } of ranked) {
    texts.push(comparable(turn.content));
    await breathe();
  }
  const sent = new Set<string>();
  // The client knows what was masked here.
  const anyMasked = ranked.some(isMasked);
  for (const text of alreadySent) {
    sent.add(comparable(text));
    if (anyMasked) sent.add(comparable(asStored(text)));
    await breathe();
  }
  return showable(ranked, texts, sent);
}

export function isMasked({ turn }: ContextTurn): boolean {
  return turn.metadata['masked_secrets'] !== undefined;
}

/**
 * Those of the ranked turns that are worth showing, in the same order.
 * @param texts of each the comparable text
 * @param sent comparable texts of what the client has sent itself
 */
export function showable(
  ranked: ContextTurn[],
  texts: readonly string[],
  sent: ReadonlySet<string>,
): ContextTurn[] {
  const answered = new Set(
    ranked.flatMap(({ turn }) => (turn.kind === 'answer' && turn.cycleId !== null ? [turn.cycleId] : [])),
  );
  const keys = texts.map(sameness);
  // An answer stands for the draft that became it, wherever each was found.
  const said = new Set(keys.filter((_, at) => ranked[at] && isSaid(ranked[at].turn)));
  const seen = new Set([...sent].map(sameness));
  return ranked.filter(({ turn, score }, at) => {
    const key = keys[at] ?? '';
    if (key === '' || seen.has(key) || !tellsSomething(turn)) return false;
    if (!isSaid(turn) && (score < LEAST_INNER || said.has(key))) return false;
    if (turn.kind === 'draft' && turn.cycleId !== null && answered.has(turn.cycleId)) return false;
    seen.add(key);
    return true;
  });
}
