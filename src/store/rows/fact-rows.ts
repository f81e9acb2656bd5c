import { CccError } from '../../base/ccc-error.ts';
import type { FactAuthor, FactChanges, FactEnding, FactRecord, FoundFact } from '../fact-store.ts';

export interface FactRow {
  session_id: string;
  fact_no: number;
  fact_id: string;
  subject: string;
  attribute: string;
  value: string;
  text: string;
  subject_key: string;
  attribute_key: string;
  value_key: string;
  exclusive: number;
  valid_from: number;
  ended_at: number | null;
  valid_until: number | null;
  superseded_by: string | null;
  conversation_id: string | null;
  source_turn_id: string | null;
  author: FactAuthor;
  pinned: number;
  version: number;
  term_count: number;
  created_at: number;
  updated_at: number;
}

export function factFromRow(row: FactRow): FactRecord {
  return {
    sessionId: row.session_id,
    factId: row.fact_id,
    factNo: row.fact_no,
    subject: row.subject,
    attribute: row.attribute,
    value: row.value,
    text: row.text,
    exclusive: row.exclusive === 1,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    supersededBy: row.superseded_by,
    conversationId: row.conversation_id,
    sourceTurnId: row.source_turn_id,
    author: row.author,
    pinned: row.pinned === 1,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What a fact is after the person's changes. @throws invalid_request when it would end before it begins */
export function correctedFact(row: FactRow, changes: FactChanges, now: number): FactRow {
  const { words, exclusive, validFrom, endedAt, pinned } = changes;
  const corrected = isCorrection(changes);
  const after: FactRow = {
    ...row,
    ...(words
      ? {
          subject: words.subject,
          attribute: words.attribute,
          value: words.value,
          text: words.text,
          subject_key: words.subjectKey,
          attribute_key: words.attributeKey,
          value_key: words.valueKey,
        }
      : {}),
    exclusive: exclusive === undefined ? row.exclusive : Number(exclusive),
    valid_from: validFrom ?? row.valid_from,
    ended_at: endedAt === undefined ? row.ended_at : endedAt,
    pinned: pinned === undefined ? row.pinned : Number(pinned),
    author: corrected ? 'person' : row.author,
    version: corrected ? row.version + 1 : row.version,
    updated_at: now,
  };
  if (after.ended_at !== null && after.ended_at < after.valid_from) {
    throw new CccError('invalid_request', 'A fact cannot end before it begins.', { param: 'valid_until' });
  }
  return after;
}

/** Whether what the fact says is changed: a pin says nothing. */
export function isCorrection({ words, exclusive, validFrom, endedAt }: FactChanges): boolean {
  return words !== undefined || exclusive !== undefined || validFrom !== undefined || endedAt !== undefined;
}

/** What facts are about: those with the same key stand on one line of time. */
export interface FactKey {
  subjectKey: string;
  attributeKey: string;
}

export function keyOf(row: Pick<FactRow, 'subject_key' | 'attribute_key'>): FactKey {
  return { subjectKey: row.subject_key, attributeKey: row.attribute_key };
}

/** The fact of a line that says this and holds at that time; undefined when it is news. */
export function sameOn(line: readonly FactRow[], valueKey: string, at: number): FactRow | undefined {
  return line.find((row) => row.value_key === valueKey && holdsAt(row, at));
}

/** The facts of a line that somebody says are so no more. */
export function endedOn(
  line: readonly FactRow[],
  { valueKey, at }: Pick<FactEnding, 'valueKey' | 'at'>,
): FactRow[] {
  return line.filter((row) => (valueKey === null || row.value_key === valueKey) && holdsAt(row, at));
}

function holdsAt(row: FactRow, at: number): boolean {
  return row.valid_from <= at && (row.valid_until === null || row.valid_until > at);
}

export interface SettledFact {
  factNo: number;
  until: number | null;
  by: string | null;
  pinned: number;
}

/**
 * Settles until when each fact on a line holds: until somebody said that it is so no more, or until the next exclusive
 * fact that says otherwise began. The whole line is settled from its rows alone, so the order in which they were
 * stored, and by whom, makes no difference. A pin goes over to the fact that holds now. Returns what has changed.
 */
export function settled(line: readonly FactRow[]): SettledFact[] {
  const after = line.map((row) => ({ ...row }));
  after.forEach((row, at) => {
    const next =
      row.exclusive === 1
        ? after.slice(at + 1).find((other) => other.exclusive === 1 && other.value_key !== row.value_key)
        : undefined;
    const replaced = next !== undefined && (row.ended_at === null || next.valid_from <= row.ended_at);
    row.valid_until = replaced ? next.valid_from : row.ended_at;
    row.superseded_by = replaced ? next.fact_id : null;
    if (replaced && row.pinned === 1) {
      row.pinned = 0;
      next.pinned = 1;
    }
  });
  return after.flatMap((row, at) => {
    const before = line[at];
    const same =
      row.valid_until === before?.valid_until &&
      row.superseded_by === before.superseded_by &&
      row.pinned === before.pinned;
    if (same) return [];
    return [{ factNo: row.fact_no, until: row.valid_until, by: row.superseded_by, pinned: row.pinned }];
  });
}

/** Newest entries of a term that are looked at: a word that more facts hold tells next to nothing. */
export const MOST_POSTINGS = 4_000;

export interface RankedFact {
  factNo: number;
  weight: number;
  /** Of the question's terms, how many the fact has. */
  held: number;
  /** The weight of the whole question. */
  whole: number;
}

/** Facts by the words they share with a question, best first. A word weighs by how few of the session's facts have it. */
export function rankFacts(newest: number, postings: readonly number[][], limit: number): RankedFact[] {
  const found = new Map<number, { weight: number; held: number }>();
  let whole = 0;
  for (const numbers of postings) {
    const weight = Math.max(0, Math.log(1 + (newest - numbers.length + 0.5) / (numbers.length + 0.5)));
    whole += weight;
    for (const number of numbers) {
      const before = found.get(number) ?? { weight: 0, held: 0 };
      found.set(number, { weight: before.weight + weight, held: before.held + 1 });
    }
  }
  return [...found]
    .sort((a, b) => b[1].weight - a[1].weight || b[0] - a[0])
    .slice(0, limit)
    .map(([factNo, { weight, held }]) => ({ factNo, weight, held, whole }));
}

/** What was superseded never comes alone: with it comes what holds now (`standing`), found as well as it was. */
export function withSuccessors(
  ranked: readonly { row: FactRow; standing: FactRow | undefined; of: RankedFact }[],
): FoundFact[] {
  const result = new Map<number, FoundFact>();
  for (const { row, standing, of } of ranked) {
    const ofQuestion = of.whole > 0 ? of.weight / of.whole : 0;
    const ofFact = row.term_count > 0 ? of.held / row.term_count : 0;
    for (const each of standing ? [standing, row] : [row]) {
      const known = result.get(each.fact_no);
      if (known && known.ofQuestion >= ofQuestion) continue;
      result.set(each.fact_no, { fact: factFromRow(each), ofQuestion, ofFact });
    }
  }
  return [...result.values()];
}
