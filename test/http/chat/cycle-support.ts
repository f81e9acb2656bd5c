import { vi } from 'vitest';
import type {
  CycleResult,
  CycleService,
  CycleSignal,
  StartCycle,
} from '../../../src/covenant/cycle-service.ts';
import { say, startChat } from './support.ts';

export const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Name three rivers.' },
];
export const usage = (n: number) => ({ prompt_tokens: n, completion_tokens: n, total_tokens: 2 * n });
export const RESULT: CycleResult = {
  cycleId: 'cyc_1',
  outcome: 'approved',
  answer: 'Niger, Nile, Congo.',
  toolCalls: null,
  finishReason: 'stop',
  reason: 'Approved in round 2.',
  draftHash: null,
  rounds: 2,
  verdicts: [{ round: 1, decision: 'revise', issues: [], criteria: [] }],
  usage: usage(30),
  usageByAgent: { beatrice: usage(20), codey: usage(10) },
  model: 'up-model',
  turns: [],
  error: null,
};
const delta = (
  agent: 'beatrice' | 'codey',
  round: number,
  step: 'guidance' | 'draft' | 'verdict',
  text: string,
) => ({ kind: 'delta', agent, round, step, text }) satisfies CycleSignal;
const event = (seq: number, type: string, data: Record<string, string | number>): CycleSignal => ({
  kind: 'event',
  event: { sessionId: 's', cycleId: 'cyc_1', seq, type, data, createdAt: 0 },
});
const SIGNALS: CycleSignal[] = [
  event(1, 'guiding', { agent: 'beatrice', round: 1 }),
  delta('beatrice', 1, 'guidance', 'Three, '),
  delta('beatrice', 1, 'guidance', 'no more.'),
  delta('codey', 1, 'draft', 'Niger.'),
  delta('beatrice', 1, 'verdict', 'To be revised.\n- major: the list → name three'),
  event(2, 'reviewed', { agent: 'beatrice', round: 1, secret: 'not for this stream' }),
  delta('codey', 2, 'draft', 'Niger, Nile, Congo.'),
];
export const NARRATION =
  '[Beatrice · round 1 · guidance]\nThree, no more.\n\n' +
  '[Codey · round 1 · draft]\nNiger.\n\n' +
  '[Beatrice · round 1 · verdict]\nTo be revised.\n- major: the list → name three\n\n' +
  '[Codey · round 2 · draft]\nNiger, Nile, Congo.';

/** A cycle service that says what the test says, and remembers what it was asked. */
export function scripted(
  result: Partial<CycleResult> | Error | Promise<CycleResult> = {},
  signals = SIGNALS,
) {
  const started: StartCycle[] = [];
  const cancelled = vi.fn();
  const cycles = {
    findWaiting: () => Promise.resolve(null),
    start: (input: StartCycle) => {
      started.push(input);
      const done =
        result instanceof Error
          ? Promise.reject(result)
          : result instanceof Promise
            ? result
            : Promise.resolve({ ...RESULT, ...result });
      done.catch(() => undefined);
      return Promise.resolve({
        cycleId: 'cyc_1',
        watch: (listener: (signal: CycleSignal) => void) => {
          signals.forEach(listener);
          return () => undefined;
        },
        done,
        cancel: cancelled,
      });
    },
  } as unknown as CycleService;
  return { cycles, started, cancelled };
}

export async function startCycles(...script: Parameters<typeof scripted>) {
  const fake = scripted(...script);
  const chat = await startChat(say('Unsupervised.'), ({ settings }) => ({
    cycles: fake.cycles,
    settings: { ...settings, CCC_COVENANT_DEFAULT: 'cycle' },
    heartbeatMs: 20,
  }));
  const { sessionId } = await chat.session();
  const ask = (fields: object = {}, options: { signal?: AbortSignal } = {}) =>
    chat.post({ model: 'asked', messages, session_id: sessionId, ...fields }, options);
  return { ...fake, chat, sessionId, ask };
}
