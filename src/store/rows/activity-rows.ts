import type { ActivityHead, CallFacts } from '../activity-store.ts';

export interface HeadRow {
  session_id: string;
  session_key: number;
  change_seq: number;
}

export function headFromRow(row: HeadRow): ActivityHead {
  return { sessionId: row.session_id, sessionKey: row.session_key, changeSeq: row.change_seq };
}

export interface ChangeRow {
  kind: 'cycle' | 'turn';
  id: string;
  activity_no: number;
  change_seq: number;
}

export interface CostRow {
  agent: string | null;
  at: number;
  prompt: unknown;
  completion: unknown;
  total: unknown;
}

/** What a call has cost, if that is told. */
export function callFacts(
  { agent, at, prompt, completion, total }: CostRow,
  activityNo: number,
): CallFacts[] {
  const [promptTokens, completionTokens] = [tokens(prompt), tokens(completion)];
  const totalTokens = Math.max(tokens(total), promptTokens + completionTokens);
  if (totalTokens === 0) return [];
  return [{ activityNo, agent: agent ?? '', at, promptTokens, completionTokens, totalTokens }];
}

/** Metadata of a turn may come from anywhere. */
function tokens(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 2 ** 31
    ? Math.floor(value)
    : 0;
}
