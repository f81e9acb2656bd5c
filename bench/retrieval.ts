/**
 * How well retrieval finds the turns that hold an answer, on LoCoMo, through the real SQLite store and with no model:
 * `npm run bench:retrieval -- ../shared/evaluation/locomo [--misses]`.
 * `--misses` lists the questions whose evidence is not wholly among the first 25.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../src/base/ids.ts';
import { createRetriever } from '../src/memory/retrieval/retriever.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { analyse } from '../src/text/analyse.ts';
import { CATEGORIES, readLocomoFolder, type LocomoConversation } from './retrieval-data.ts';

const DEPTHS = [5, 10, 25, 50] as const;
/** Published for all ten conversations: LoCoMo, Table 3 (DRAGON, dialogue turns); by category only R@10. */
const DRAGON = { all: [56.7, 66.2, 76.7, 82.7] };
const DRAGON_AT_10 = {
  'single-hop': 77.7,
  'multi-hop': 46.6,
  temporal: 77.3,
  'open-domain': 40.8,
  adversarial: 54.7,
};
const FTS5 = { all: [55.1, 63.3, 71.7, 77.0] };

const args = process.argv.slice(2);
const folder = args.find((arg) => !arg.startsWith('--')) ?? '../shared/evaluation/locomo';
const conversations = readLocomoFolder(folder);
if (!conversations) {
  console.error(`No LoCoMo conversations (conv-*.json) in ${folder}: nothing was measured.`);
  process.exit(2);
}

class Tally {
  questions = 0;
  readonly sums = DEPTHS.map(() => 0);
  add(recalls: number[]): void {
    this.questions += 1;
    recalls.forEach((recall, i) => (this.sums[i]! += recall));
  }
  get means(): number[] {
    return this.sums.map((sum) => (100 * sum) / this.questions);
  }
}

async function store(
  dal: MemoryDAL,
  { days }: LocomoConversation,
): Promise<{ sessionId: string; ids: string[][] }> {
  const sessionId = newId('sess');
  const now = Date.now();
  await dal.sessions.create({
    sessionId,
    tokenHash: sessionId,
    userPreferences: {},
    initialContext: null,
    now,
  });
  for (const turns of days) {
    await dal.conversations.create({
      sessionId,
      conversationId: newId('conv'),
      directive: '',
      turns: turns.map(({ speaker, text, timestamp }) => ({
        turnId: newId('turn'),
        agent: 'wykeve' as const,
        kind: 'message' as const,
        content: text,
        speaker,
        timestamp,
        cycleId: null,
        metadata: {},
        terms: analyse(text),
      })),
      jobs: [],
      now,
    });
  }
  return { sessionId, ids: days.map((turns) => turns.map(({ id }) => id)) };
}

const row = (name: string, cells: (string | number)[]) =>
  name.padEnd(44) +
  cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(9)).join('');

const temporary = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
try {
  const dal = await openSqliteStore({ file: join(temporary, 'record.db'), threads: true });
  const retriever = createRetriever({ dal });
  const tallies = new Map<string, Tally>();
  const times: number[] = [];
  let left = 0;
  for (const conversation of conversations) {
    const { sessionId, ids } = await store(dal, conversation);
    // "Last week" is relative to when the history ends.
    const now = (conversation.days.at(-1)?.at(-1)?.timestamp ?? 0) + 86_400_000;
    left += conversation.withoutEvidence;
    for (const { question, category, evidence } of conversation.questions) {
      const start = performance.now();
      const found = await retriever.retrieve({ sessionId, query: question, limit: DEPTHS.at(-1)!, now });
      times.push(performance.now() - start);
      const order = found.map(
        ({ conversationOrdinal, turnNumber }) => ids[conversationOrdinal - 1]?.[turnNumber - 1],
      );
      const recalls = DEPTHS.map((depth) => {
        const first = new Set(order.slice(0, depth));
        return evidence.filter((id) => first.has(id)).length / evidence.length;
      });
      for (const name of ['all', category, conversation.name]) {
        if (!tallies.has(name)) tallies.set(name, new Tally());
        tallies.get(name)!.add(recalls);
      }
      if (args.includes('--misses') && recalls[2]! < 1) {
        console.log(`${conversation.name} ${category}: ${question}`);
        for (const id of evidence) console.log(`    ${id} at ${order.indexOf(id) + 1 || '-'}`);
      }
    }
  }
  await dal.close();

  const at = (name: string) => tallies.get(name) ?? new Tally();
  const header = ['questions', ...DEPTHS.map((depth) => `R@${String(depth)}`)];
  console.log(
    `LoCoMo, ${String(conversations.length)} conversations, no model. Recall of evidence turns, in percent.`,
  );
  console.log(`${String(left)} questions have no evidence that names a turn and are left out.\n`);
  console.log(row('', header));
  console.log(row('DRAGON (110 M parameters), ten conversations', ['', ...DRAGON.all]));
  console.log(row('SQLite FTS5 bm25(), ten conversations', ['', ...FTS5.all]));
  console.log(row('CCC, lexical', [String(at('all').questions), ...at('all').means]));
  console.log(`\n${row('CCC by category (DRAGON: R@10)', [...header, 'DRAGON'])}`);
  for (const name of CATEGORIES) {
    console.log(row(`  ${name}`, [String(at(name).questions), ...at(name).means, DRAGON_AT_10[name]]));
  }
  console.log(`\n${row('CCC by conversation', header)}`);
  for (const { name } of conversations)
    console.log(row(`  ${name}`, [String(at(name).questions), ...at(name).means]));
  const sorted = times.toSorted((a, b) => a - b);
  const percentile = (p: number) => (sorted[Math.floor((sorted.length - 1) * p)] ?? NaN).toFixed(2);
  console.log(
    `\nA question takes ${percentile(0.5)} ms at the median, ${percentile(0.95)} ms at the 95th percentile.`,
  );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
