/**
 * How much of what answers a question gets into the prompt, within the token budget, and what that costs, on LoCoMo:
 * `npx tsx bench/context.ts ../shared/evaluation/locomo [--turns 12] [--tokens 2000]`. Each dated session of the data
 * is a conversation; evidence counts as found when its whole turn stands in the prompt.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createMemoryService } from '../src/memory/create-memory-service.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { CATEGORIES, readLocomoFolder } from './retrieval-data.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { turns: { type: 'string', default: '12' }, tokens: { type: 'string', default: '2000' } },
});
const folder = positionals[0] ?? '../shared/evaluation/locomo';
const conversations = readLocomoFolder(folder);
if (!conversations) {
  console.error(`No LoCoMo conversations (conv-*.json) in ${folder}: nothing was measured.`);
  process.exit(2);
}

const temporary = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
const percentile = (times: number[], p: number) =>
  times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * p)] ?? NaN;
try {
  const dal = await openSqliteStore({ file: join(temporary, 'record.db'), threads: true });
  const recalls = new Map<string, number[]>();
  const times: number[] = [];
  const tokens: number[] = [];
  for (const { days, questions } of conversations) {
    const now = (days.at(-1)?.at(-1)?.timestamp ?? 0) + 86_400_000;
    const memory = createMemoryService({ dal, clock: { now: () => now } });
    const { sessionId } = (await memory.createSession({})).session;
    const names = new Map<string, string>();
    for (const turns of days) {
      const { conversation } = await memory.createConversation({
        sessionId,
        directive: '',
        turns: [],
      });
      const { turns: stored } = await memory.appendTurns({
        conversationId: conversation.conversationId,
        turns: turns.map(({ speaker, text, timestamp }) => ({
          agent: 'wykeve',
          speaker,
          content: text,
          timestamp,
        })),
      });
      stored.forEach(({ turnId }, at) => names.set(turnId, turns[at]!.id));
    }
    for (const { question, category, evidence } of questions) {
      const start = performance.now();
      const context = await memory.buildContext({
        sessionId,
        conversationId: null,
        directive: question,
        maxTurns: Number(values.turns),
        maxTokens: Number(values.tokens),
        includeAgentState: true,
        includeCausal: true,
        alreadySent: [],
      });
      times.push(performance.now() - start);
      tokens.push(context.tokenCount);
      const shown = new Set(context.relevantTurns.map(({ turn }) => names.get(turn.turnId)));
      const recall = evidence.filter((id) => shown.has(id)).length / evidence.length;
      for (const name of ['all', category]) recalls.set(name, [...(recalls.get(name) ?? []), recall]);
    }
  }
  await dal.close();
  const mean = (list: number[]) => list.reduce((sum, each) => sum + each, 0) / Math.max(1, list.length);
  console.log(`evidence in the prompt, at most ${values.turns} turns and ${values.tokens} tokens:`);
  for (const name of ['all', ...CATEGORIES]) {
    const list = recalls.get(name) ?? [];
    console.log(
      `  ${name.padEnd(14)} ${(100 * mean(list)).toFixed(1).padStart(6)} %   of ${String(list.length)} questions`,
    );
  }
  console.log(
    `  tokens: mean ${mean(tokens).toFixed(0)}, most ${String(Math.max(...tokens))};  ` +
      `time: p50 ${percentile(times, 0.5).toFixed(2)} ms, p95 ${percentile(times, 0.95).toFixed(2)} ms`,
  );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
