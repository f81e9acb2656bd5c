import { createHash } from 'node:crypto';
import type { MaskedText, Masker } from '../../text/redaction/masker.ts';
import { maskOf } from '../../text/redaction/masker.ts';
import { breathing } from '../../text/breathing.ts';
import type { TermCounts } from '../../store/records.ts';
import { keysOf } from '../facts/fact-words.ts';
import { isIndexed, termsOfRow } from '../reindex/terms-of-row.ts';

type Fields = Record<string, unknown>;

/** Shorter texts hold no secret that a rule could know; of a field's name the shortest are passwords. */
const SHORTEST = 8;
/** Characters that are masked at once; more of them in steps, with the event loop free for others between. */
const AT_ONCE = 32 * 1024;
/** Deeper JSON is refused at the door (src/http/body.ts reads less); what still comes is not followed without end. */
const DEEPEST = 200;

/** What was masked in a value, by kind. */
export type Found = Record<string, number>;

/** What is stored in place of a value: the same without secrets; null when it has none. */
export interface MaskedValue<T> {
  value: T;
  /** Each text counts once, however often it occurs. */
  found: Found;
}

/**
 * Masks every text in plain data, names of fields included. A call with little text is masked before this returns, so
 * that calls stay in order: `then` is called at once.
 */
export function maskValue<T, R>(
  masker: Masker,
  value: T,
  then: (masked: MaskedValue<T> | null) => R,
): R | Promise<R> {
  const texts = new Set<string>();
  const whole = collect(masker, value, texts);
  let characters = 0;
  for (const text of texts) characters += text.length;
  if (characters > AT_ONCE) return maskInSteps(masker, value, texts, whole).then(then);
  const masks = new Map<string, MaskedText>();
  for (const text of texts) {
    const masked = masker.mask(text);
    if (masked) masks.set(text, masked);
  }
  return masks.size === 0 && !whole ? then(null) : replace(masker, value, masks).then(then);
}

async function maskInSteps<T>(
  masker: Masker,
  value: T,
  texts: Set<string>,
  whole: boolean,
): Promise<MaskedValue<T> | null> {
  const masks = new Map<string, MaskedText>();
  const breathe = breathing();
  for (const text of texts) {
    const masked = text.length > AT_ONCE ? await masker.maskInSteps(text) : masker.mask(text);
    const pause = breathe();
    if (pause) await pause;
    if (masked) masks.set(text, masked);
  }
  return masks.size === 0 && !whole ? null : replace(masker, value, masks);
}

/** Gathers the texts of a value. True when a field holds nothing but a secret. */
function collect(masker: Masker, value: unknown, texts: Set<string>, field = '', depth = 0): boolean {
  if (typeof value === 'string') {
    if (value.length >= SHORTEST) texts.add(value);
    return field !== '' && masker.secretOfField(field, value) !== null;
  }
  if (depth > DEEPEST) return false;
  let whole = false;
  if (Array.isArray(value)) {
    for (const item of value) whole = collect(masker, item, texts, '', depth + 1) || whole;
  } else if (isFields(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (name.length >= SHORTEST) texts.add(name);
      if (name === 'terms' && isTermCounts(item)) continue;
      whole = collect(masker, item, texts, name, depth + 1) || whole;
    }
  }
  return whole;
}

async function replace<T>(masker: Masker, value: T, masks: Map<string, MaskedText>): Promise<MaskedValue<T>> {
  const replacing = new Replacing(masker, masks);
  const masked = replacing.replaced(value, '') as T;
  await replacing.settle();
  return { value: masked, found: sum(replacing.used.values()) };
}

/** Copies what holds secrets, and leaves all else as it is. */
class Replacing {
  readonly used = new Map<string, Found>();
  readonly #masker: Masker;
  readonly #masks: Map<string, MaskedText>;
  readonly #indexed: Fields[] = [];

  constructor(masker: Masker, masks: Map<string, MaskedText>) {
    this.#masker = masker;
    this.#masks = masks;
  }

  /** Index entries are made of what is stored. */
  async settle(): Promise<void> {
    for (const record of this.#indexed) await indexAnew(record);
  }

  replaced(value: unknown, field: string, depth = 0): unknown {
    if (typeof value === 'string') return this.#text(value, field);
    if (depth > DEEPEST) return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.replaced(item, '', depth + 1));
      return items.some((item, at) => item !== value[at]) ? items : value;
    }
    return isFields(value) ? this.#fields(value, field, depth) : value;
  }

  #text(text: string, field: string): string {
    const name = field === '' ? null : this.#masker.secretOfField(field, text);
    if (name !== null) {
      this.used.set(text, { [name]: 1 });
      return maskOf(name);
    }
    const mask = this.#masks.get(text);
    if (!mask) return text;
    this.used.set(text, mask.found);
    return mask.text;
  }

  #fields(fields: Fields, field: string, depth: number): Fields {
    const before = new Map(this.used);
    this.used.clear();
    let changed = false;
    const entries = Object.entries(fields).map(([name, item]) => {
      const isIndex = name === 'terms' && isTermCounts(item);
      const masked = isIndex ? item : this.replaced(item, name, depth + 1);
      const maskedName = this.#text(name, '');
      changed ||= masked !== item || maskedName !== name;
      return [maskedName, masked] as const;
    });
    const found = sum(this.used.values());
    for (const [text, each] of before) this.used.set(text, each);
    if (!changed) return fields;
    const copy: Fields = Object.fromEntries(entries);
    // Two keys of requests stay two, and the same one the same.
    if (field === 'idempotency' && copy['key'] !== fields['key']) copy['key'] = hashOf(String(fields['key']));
    noteOnTurn(copy, found);
    if (isTermCounts(copy['terms'])) this.#indexed.push(copy);
    return copy;
  }
}

/** A turn tells what was masked in it: in its metadata, so that it is counted, exported and erased with it. */
function noteOnTurn(record: Fields, found: Found): void {
  const turn = record['table'] === 'turns' && isFields(record['row']) ? record['row'] : record;
  const { metadata } = turn;
  if (typeof turn['content'] !== 'string' || !isTermCounts(record['terms']) || !isFields(metadata)) return;
  const known = isFields(metadata['masked_secrets']) ? (metadata['masked_secrets'] as Found) : {};
  turn['metadata'] = { ...metadata, masked_secrets: sum([known, found]) };
}

async function indexAnew(record: Fields): Promise<void> {
  const { table, row } = record;
  const [name, columns] = isFields(row) ? [String(table), row] : [tableOf(record), record];
  if (name === 'facts') {
    // What makes two facts equal is made of their words, and is stored as well.
    const keys = keysOf(columns as { subject: string; attribute: string; value: string });
    if (columns === record) Object.assign(record, keys);
    else {
      Object.assign(columns, {
        subject_key: keys.subjectKey,
        attribute_key: keys.attributeKey,
        value_key: keys.valueKey,
      });
    }
  }
  if (isIndexed(name))
    record['terms'] = await termsOfRow({ table: name, row: columns as Record<string, string> });
}

/** Whose row a record becomes. */
function tableOf(record: Fields): string {
  if ('content' in record) return 'turns';
  return 'subject' in record ? 'facts' : 'causal_events';
}

function isFields(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isTermCounts(value: unknown): value is TermCounts {
  if (!isFields(value) || typeof value['length'] !== 'number') return false;
  const { terms } = value;
  return Array.isArray(terms) || (isFields(terms) && terms['counts'] instanceof Uint32Array);
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function sum(founds: Iterable<Found>): Found {
  const total: Found = {};
  for (const found of founds) {
    for (const [name, count] of Object.entries(found)) {
      if (typeof count === 'number') total[name] = (total[name] ?? 0) + count;
    }
  }
  return total;
}
