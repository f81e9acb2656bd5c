/** Reads LoCoMo (Maharana et al., ACL 2024) as it stands on disk. Nothing of it is kept in this repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LocomoTurn {
  /** LoCoMo's own name for it, such as D3:7. */
  id: string;
  speaker: string;
  /** What was said, and the caption of a shared photo, if there is one. */
  text: string;
  timestamp: number;
}

export interface LocomoQuestion {
  question: string;
  category: Category;
  /** Ids of the turns that hold the answer; never empty. */
  evidence: string[];
}

export interface LocomoConversation {
  name: string;
  /** The dated sessions of the data: each is a conversation of ours. */
  days: LocomoTurn[][];
  questions: LocomoQuestion[];
  /** Questions left out, because their evidence names no turn. */
  withoutEvidence: number;
}

export const CATEGORIES = ['single-hop', 'multi-hop', 'temporal', 'open-domain', 'adversarial'] as const;
export type Category = (typeof CATEGORIES)[number];
const CATEGORY_NUMBERS: Record<number, Category> = {
  1: 'multi-hop',
  2: 'temporal',
  3: 'open-domain',
  4: 'single-hop',
  5: 'adversarial',
};

interface RawTurn {
  dia_id: string;
  speaker: string;
  text: string;
  blip_caption?: string;
}
interface RawFile {
  conversation: Record<string, unknown>;
  qa: { question: string; evidence: string[]; category: number }[];
}

/** All conversations in the folder; null when it is not there or holds none. */
export function readLocomoFolder(folder: string): LocomoConversation[] | null {
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder)
    .filter((name) => /^conv-\d+\.json$/.test(name))
    .sort();
  return files.length === 0 ? null : files.map((name) => readConversation(join(folder, name), name));
}

function readConversation(file: string, name: string): LocomoConversation {
  const { conversation, qa } = JSON.parse(readFileSync(file, 'utf8')) as RawFile;
  const days: LocomoTurn[][] = [];
  for (let day = 1; ; day += 1) {
    const turns = conversation[`session_${String(day)}`] as RawTurn[] | undefined;
    if (!turns) break;
    const start = parseTime(conversation[`session_${String(day)}_date_time`] as string);
    days.push(
      turns.map((turn, i) => ({
        id: turn.dia_id,
        speaker: turn.speaker,
        text: turn.blip_caption ? `${turn.text} [photo: ${turn.blip_caption}]` : turn.text,
        // The data has one time for the whole day; a minute for each turn keeps their order.
        timestamp: start + i * 60_000,
      })),
    );
  }
  const ids = new Set(days.flat().map(({ id }) => id));
  const questions = qa.map(({ question, evidence, category }) => ({
    question,
    category: CATEGORY_NUMBERS[category] ?? ('single-hop' as const),
    // A few strings hold several ids, and a few ids name no turn.
    evidence: [...new Set(evidence.flatMap((text) => text.split(/[;,\s]+/)).filter((id) => ids.has(id)))],
  }));
  const answerable = questions.filter(({ evidence }) => evidence.length > 0);
  return {
    name: name.replace('.json', ''),
    days,
    questions: answerable,
    withoutEvidence: questions.length - answerable.length,
  };
}

/** `1:56 pm on 8 May, 2023`, taken as UTC. */
function parseTime(text: string): number {
  const match = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/.exec(text.trim());
  if (!match) throw new Error(`Not a time of LoCoMo: ${text}`);
  const [, hour, minute, half, day, month, year] = match;
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0);
  return Date.parse(`${day} ${month} ${year} ${String(hours)}:${minute} UTC`);
}
