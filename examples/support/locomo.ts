import { readFile } from 'node:fs/promises';

interface LocomoTurn {
  dia_id: string;
  speaker: string;
  text: string;
  blip_caption?: string;
}

interface LocomoFile {
  conversation: Record<string, unknown>;
  qa: { question: string; answer?: unknown; evidence: string[]; category: number }[];
}

export interface HistoryTurn {
  id: string;
  speaker: string;
  text: string;
  /** ISO-8601 UTC. The day's turns follow each other by a minute: the data has one time for each day. */
  timestamp: string;
}

export interface History {
  days: { date: string; turns: HistoryTurn[] }[];
  turnCount: number;
  /** Questions of category 4, whose answer stands in one place, with the texts that hold it. */
  singleHop: { question: string; answer: string; evidence: string[] }[];
}

/** Reads a conversation of LoCoMo. Evidence that names no turn is left out, as are questions left without any. */
export async function readLocomo(file: string): Promise<History> {
  const data = JSON.parse(await readFile(file, 'utf8')) as LocomoFile;
  const days: History['days'] = [];
  for (let number = 1; ; number += 1) {
    const turns = data.conversation[`session_${String(number)}`] as LocomoTurn[] | undefined;
    if (!turns) break;
    const start = parseTime(data.conversation[`session_${String(number)}_date_time`] as string);
    days.push({
      date: new Date(start).toISOString().slice(0, 10),
      turns: turns.map((turn, index) => ({
        id: turn.dia_id,
        speaker: turn.speaker,
        // A shared photograph is part of what was said; the data describes it in words.
        text: turn.blip_caption ? `${turn.text} [photo: ${turn.blip_caption}]` : turn.text,
        timestamp: new Date(start + index * 60_000).toISOString(),
      })),
    });
  }
  const byId = new Map(days.flatMap((day) => day.turns.map((turn) => [turn.id, turn.text])));
  const singleHop = data.qa
    .filter((entry) => entry.category === 4)
    .map((entry) => ({
      question: entry.question,
      answer: String(entry.answer ?? ''),
      evidence: entry.evidence.flatMap((ids) => ids.split(/[;,\s]+/)).flatMap((id) => byId.get(id) ?? []),
    }))
    .filter((entry) => entry.evidence.length > 0);
  return { days, turnCount: byId.size, singleHop };
}

/** `1:56 pm on 8 May, 2023`, taken as UTC. */
function parseTime(text: string): number {
  const match = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/.exec(text.trim());
  if (!match) throw new Error(`Not a LoCoMo time: ${text}`);
  const [, hour = '', minute = '', half, day = '', month = '', year = ''] = match;
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0);
  return Date.parse(`${day} ${month} ${year} ${String(hours)}:${minute} UTC`);
}
