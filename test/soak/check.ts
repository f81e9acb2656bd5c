import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Ledger, SessionLedger } from './ledger.ts';

interface Turn {
  turn_id: string;
  turn_number: number;
  content: string;
}

/** Holds the server against what it has acknowledged. Adds what it finds to the ledger's faults. */
export async function checkRecord(url: string, ledger: Ledger): Promise<{ turns: number; sessions: number }> {
  let turns = 0;
  for (const session of ledger.sessions.values()) turns += await checkSession(url, session, ledger);
  for (const sessionId of ledger.erased) {
    const { status } = await fetch(`${url}/api/v2/sessions/${sessionId}`);
    if (status !== 404) ledger.fault(`the erased session ${sessionId} answers ${String(status)}`);
  }
  return { turns, sessions: ledger.sessions.size };
}

async function checkSession(url: string, session: SessionLedger, ledger: Ledger): Promise<number> {
  const { status } = await fetch(`${url}/api/v2/sessions/${session.sessionId}`);
  if (status !== 200) {
    ledger.fault(`the session ${session.sessionId} is missing: ${String(status)}`);
    return 0;
  }
  let seen = 0;
  for (const known of session.conversations.values()) {
    const turns = await turnsOf(url, known.conversationId);
    seen += turns.length;
    const where = `conversation ${known.conversationId}`;
    turns.forEach(({ turn_number: number }, at) => {
      if (number !== at + 1)
        ledger.fault(`${where}: turn ${String(at + 1)} has the number ${String(number)}`);
    });
    const ids = new Set(turns.map(({ turn_id: id }) => id));
    for (const id of known.turnIds) if (!ids.has(id)) ledger.fault(`${where}: turn ${id} is missing`);
    const times = new Map<string, number>();
    for (const { content } of turns) times.set(content, (times.get(content) ?? 0) + 1);
    for (const text of known.acknowledged) {
      if (times.get(text) !== 1)
        ledger.fault(
          `${where}: "${text}" was acknowledged and is there ${String(times.get(text) ?? 0)} times`,
        );
    }
    for (const text of known.unheard) {
      if ((times.get(text) ?? 0) > 1) ledger.fault(`${where}: "${text}" is there twice`);
    }
  }
  for (const cycleId of session.cycles) {
    const response = await fetch(`${url}/api/v2/cycles/${cycleId}`);
    const { outcome } = (await response.json()) as { outcome?: string | null };
    if (typeof outcome !== 'string')
      ledger.fault(`the cycle ${cycleId} had ended: ${String(response.status)}`);
  }
  return seen;
}

async function turnsOf(url: string, conversationId: string): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let from: number | null = 1; from !== null;) {
    const path = `/api/v2/conversations/${conversationId}?from=${String(from)}&limit=1000`;
    const page = (await (await fetch(url + path)).json()) as { turns?: Turn[]; next_from?: number | null };
    turns.push(...(page.turns ?? []));
    from = page.next_from ?? null;
  }
  return turns;
}

/** The engine's own checks, on the closed file. */
export function checkFile(dataDir: string, ledger: Ledger): void {
  const database = new Database(join(dataDir, 'ccc.db'), { readonly: true });
  try {
    const sound = database.pragma('integrity_check', { simple: true });
    if (sound !== 'ok') ledger.fault(`integrity_check: ${String(sound)}`);
    const orphans = database.pragma('foreign_key_check') as unknown[];
    if (orphans.length > 0) ledger.fault(`foreign_key_check: ${JSON.stringify(orphans.slice(0, 3))}`);
    const gaps = database
      .prepare(
        `SELECT conversation_id FROM turns GROUP BY session_id, conversation_id
          HAVING count(*) <> max(turn_number) OR count(DISTINCT turn_id) <> count(*)`,
      )
      .all();
    if (gaps.length > 0) ledger.fault(`turns with gaps or doubles: ${JSON.stringify(gaps.slice(0, 3))}`);
  } finally {
    database.close();
  }
}
