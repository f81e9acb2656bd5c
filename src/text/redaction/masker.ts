import { addresses, awsKeys, exactly, privateKeys, tokens, webTokens } from './known-forms.ts';
import { namedValues, secretOfField } from './named-values.ts';
import type { Hit, Rule } from './rule.ts';
import { breathing } from '../breathing.ts';

/** A text without its secrets, and how many of which kind it had; null when it had none and is unchanged. */
export interface MaskedText {
  text: string;
  found: Record<string, number>;
}

/** Takes secrets out of texts. */
export interface Masker {
  /** Null when there is nothing to mask. Masked text has nothing more to mask. */
  mask(text: string): MaskedText | null;
  /** The same for a text of any length, with the event loop free for others every few milliseconds. */
  maskInSteps(text: string): Promise<MaskedText | null>;
  /** What a field of this name holds when its value is a secret as a whole. */
  secretOfField(field: string, value: string): string | null;
}

/** Where a secret was. */
export function maskOf(name: string): string {
  return `[masked: ${name}]`;
}

/** A known secret that is shorter would take ordinary words out of texts. */
const SHORTEST_KNOWN = 8;
/** Of two hits that overlap the earlier one counts, and of two that begin together the first in this list. */
const RULES: readonly Rule[] = [privateKeys, webTokens, ...tokens, ...awsKeys, addresses, namedValues];

/** @param known secrets that are known by themselves: this server's own, by what to call them */
export function createMasker(known: { name: string; secret: string | undefined }[] = []): Masker {
  const own = known.flatMap(({ name, secret }) =>
    secret === undefined || secret.length < SHORTEST_KNOWN ? [] : [exactly(secret, name)],
  );
  const rules = [...own, ...RULES];
  const withoutBeginning = rules.filter(({ beginning }) => beginning === null);
  const beginnings = rules.flatMap(({ beginning }) => beginning ?? []).map(literal);
  const someBeginning = new RegExp(beginnings.join('|'));
  /** One look for all beginnings at once spares most texts a search for each of them. */
  const rulesFor = (text: string) => (someBeginning.test(text) ? rules : withoutBeginning);
  return Object.freeze({
    mask: (text: string) => {
      const hits: Hit[] = [];
      for (const rule of rulesFor(text)) {
        const search = rule.search(text);
        for (let step = search.next(); ; step = search.next()) {
          if (!step.done) continue;
          hits.push(...step.value);
          break;
        }
      }
      return hits.length === 0 ? null : maskedText(text, hits);
    },
    maskInSteps: async (text: string) => {
      const breathe = breathing();
      const hits: Hit[] = [];
      for (const rule of rules) {
        const search = rule.search(text);
        for (let step = search.next(); ; step = search.next()) {
          const pause = breathe();
          if (pause) await pause;
          if (!step.done) continue;
          for (const hit of step.value) hits.push(hit);
          break;
        }
      }
      return hits.length === 0 ? null : maskedText(text, hits);
    },
    secretOfField,
  });
}

function maskedText(text: string, hits: Hit[]): MaskedText {
  // Sorting keeps the order of the rules where two begin together.
  hits.sort((a, b) => a.from - b.from);
  const parts: string[] = [];
  const found: Record<string, number> = {};
  let at = 0;
  for (const { from, to, name } of hits) {
    if (from < at) {
      // What reaches beyond the hit before it is no less secret.
      at = Math.max(at, to);
      continue;
    }
    parts.push(text.slice(at, from), maskOf(name));
    found[name] = (found[name] ?? 0) + 1;
    at = to;
  }
  parts.push(text.slice(at));
  return { text: parts.join(''), found };
}

/** A text as a regular expression that matches it and nothing else. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
