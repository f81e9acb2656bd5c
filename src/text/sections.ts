import { looksLike, seen, withoutRoleMarks } from './harmless.ts';

/**
 * Names of the sections in CCC's prompts. What stands in a section is data: a text that holds one of these tags could
 * close its section and pose as another, so the tags in it are made harmless.
 */
export const SECTION_NAMES = [
  'memory',
  'conversation',
  'directive',
  'guidance',
  'criteria',
  'draft',
  'issues',
  'checks',
  'tools',
  'turns',
  'events',
  'summary',
  'lessons',
] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

const NAMES: ReadonlySet<string> = new Set(SECTION_NAMES);
/** What may be a tag: also with wide signs, with spaces in it, and in letters of other scripts. */
const TAG = /[<＜﹤](?=\s*[/／⁄∕]?\s*([\p{L}\p{M}]{4,24}))/gu;

/**
 * The text with every section tag in it made harmless, and whatever else could pose as a delimiter or hide from the
 * reader (src/text/harmless.ts). It reads the same to a person.
 */
export function neutralise(text: string): string {
  return withoutRoleMarks(
    seen(text).replaceAll(TAG, (sign, name: string) => (NAMES.has(looksLike(name)) ? '‹' : sign)),
  );
}

/** A delimited section of a prompt; empty when there is nothing to put in. */
export function section(name: SectionName, text: string): string {
  return text.trim() === '' ? '' : `<${name}>\n${neutralise(text.trim())}\n</${name}>`;
}

/** The text of the first section of that name; null when there is none. */
export function readSection(prompt: string, name: SectionName): string | null {
  const found = new RegExp(`<${name}>\\n([\\s\\S]*?)\\n</${name}>`).exec(prompt);
  return found?.[1] ?? null;
}
