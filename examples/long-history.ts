/**
 * Brings a history of months into a session through the HTTP API, with its own times, one conversation for each of
 * its days, and then asks about it, directly and under supervision. For each question it prints whether the turn that
 * holds the evidence was in the prompt that the upstream received, and the answer.
 *
 *   npm run build
 *   npx tsx examples/long-history.ts FILE [number of questions, 20 by default]
 *
 * FILE is one conversation of the LoCoMo data set, or any history in its shape: see WHICH_FILE below. The script starts what it needs: a CCC server
 * whose upstream is a recorder, which passes each call on to the rehearsal model of a second CCC server. With
 * OPENAI_BASE_URL (and OPENAI_API_KEY) set, the recorder passes the calls on to that upstream instead.
 */
import { readLocomo } from './support/locomo.ts';
import { startRecorder } from './support/recorder.ts';
import { startServer } from './support/server-process.ts';

const WHICH_FILE = `Which file? npx tsx examples/long-history.ts FILE [number of questions]

FILE is one conversation of the LoCoMo data set (on GitHub: snap-research/locomo, below data; where one file
holds a list of them, one of that list), or any history in the same shape:

{
  "conversation": {
    "session_1_date_time": "1:56 pm on 8 May, 2023",
    "session_1": [{ "speaker": "Ana", "dia_id": "D1:1", "text": "I adopted a cat called Basalt." }]
  },
  "qa": [{ "question": "What is Ana's cat called?", "answer": "Basalt", "evidence": ["D1:1"], "category": 4 }]
}

Further days are session_2, session_3 and so on. Questions of category 4 are asked: their answer stands in one place.`;

const [file, count = '20'] = process.argv.slice(2);
if (!file) {
  console.error(WHICH_FILE);
  process.exit(2);
}
const history = await readLocomo(file);

const realUpstream = process.env['OPENAI_BASE_URL'];
const model = realUpstream ? null : await startServer({ CCC_PROVIDER: 'rehearsal' });
const recorder = await startRecorder(realUpstream ?? `${model?.url ?? ''}/v1`);
const server = await startServer({ CCC_PROVIDER: 'openai', OPENAI_BASE_URL: recorder.url });

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${path}: ${String(response.status)} ${text}`);
  return JSON.parse(text) as T;
}

try {
  const { session_id } = await post<{ session_id: string }>('/api/v2/sessions', {});
  let stored = 0;
  for (const day of history.days) {
    const { conversation_id } = await post<{ conversation_id: string }>('/api/v2/conversations', {
      session_id,
      directive: `Conversation of ${day.date}`,
    });
    await post(`/api/v2/conversations/${conversation_id}/turns`, {
      turns: day.turns.map((turn) => ({
        agent: 'wykeve',
        speaker: turn.speaker,
        content: turn.text,
        timestamp: turn.timestamp,
      })),
    });
    stored += day.turns.length;
    process.stderr.write(`\r${String(stored)} of ${String(history.turnCount)} turns, ${day.date}   `);
  }
  process.stderr.write('\n');

  const totals = { direct: 0, cycle: 0 };
  const questions = history.singleHop.slice(0, Number.parseInt(count, 10));
  for (const [number, question] of questions.entries()) {
    console.log(`\n${String(number + 1)}. ${question.question}\n   expected: ${question.answer}`);
    for (const mode of ['direct', 'cycle'] as const) {
      recorder.clear();
      const reply = await post<{ choices: { message: { content: string } }[] }>('/v2/chat/completions', {
        session_id,
        // Each question is asked of the history alone, not of the questions before it.
        memory_options: { auto_store_response: false },
        covenant: { mode },
        messages: [{ role: 'user', content: question.question }],
      });
      const found = question.evidence.every((text) => recorder.promptsContain(text));
      if (found) totals[mode] += 1;
      const answer = reply.choices[0]?.message.content.replaceAll(/\s+/g, ' ') ?? '';
      console.log(`   ${mode}: evidence ${found ? 'in' : 'NOT in'} the prompt · ${answer}`);
    }
  }
  console.log(
    `\nEvidence in the prompt: direct ${String(totals.direct)}, cycle ${String(totals.cycle)} of ${String(questions.length)}`,
  );
} finally {
  await server.stop();
  await recorder.close();
  await model?.stop();
}
