/** A session whose work lies in the past, as if it had been done over weeks. */

type Row = Record<string, unknown>;

const DAY_MS = 86_400_000;
const MOMENT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/**
 * Moves the conversations of a session back in time, each with its cycles: it is exported, erased, and brought in again
 * with other dates. `daysBack` is asked for each conversation, from 0.
 */
export async function moveBack(url: string, sessionId: string, daysBack: (conversation: number) => number) {
  const address = `${url}/api/v2/sessions/${sessionId}`;
  const exported = await (await sent(`${address}/export`, { method: 'POST' })).text();
  await sent(address, { method: 'DELETE' });
  const moved = new Map<unknown, number>();
  const lines = exported
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { table?: string; row?: Row })
    .map(({ table, row, ...head }) => {
      if (!row) return head;
      if (table === 'conversations') moved.set(row['conversation_id'], daysBack(moved.size) * DAY_MS);
      const by = moved.get(row['conversation_id']) ?? moved.get(row['cycle_id']) ?? 0;
      if (table === 'cycles') moved.set(row['cycle_id'], by);
      return {
        table,
        row: Object.fromEntries(Object.entries(row).map(([name, value]) => [name, back(value, by)])),
      };
    });
  await sent(`${url}/api/v2/sessions/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  });
}

function back(value: unknown, by: number): unknown {
  return typeof value === 'string' && MOMENT.test(value)
    ? new Date(Date.parse(value) - by).toISOString()
    : value;
}

async function sent(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  if (!response.ok) throw new Error(`${address}: ${await response.text()}`);
  return response;
}
