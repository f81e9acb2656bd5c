import { expect } from 'vitest';
import { chunk, DONE, dieMidStream, hang, rawBytes, role, type UpstreamReply } from '../support/upstream.ts';
import { expectFailure, without, type Case, type Stage } from './case.ts';
import type { Ask, Reply } from './client.ts';
import { answers } from './script.ts';
import type { Run } from './server.ts';

/** Runs that were called off, and how many calls they had made by then. */
export const CALLED_OFF: { run: Run; calls: number }[] = [];

const ASKED = 'Name three rivers.';

type Asking = (ask: Ask) => Promise<Reply>;

/** Calls a request off when the upstream has it, or when its first pieces have come; both sides must hear of it. */
async function callOff(run: Run, asking: Asking, when: 'at once' | 'after some pieces'): Promise<void> {
  const off = new AbortController();
  let pieces = 0;
  const onPiece = () => {
    pieces += 1;
    if (when === 'after some pieces' && pieces === 3) off.abort();
  };
  const settled = asking({ prompt: `${ASKED} ${run.tag}`, signal: off.signal, onPiece }).catch(
    () => undefined,
  );
  const call = await run.call(1);
  if (when === 'at once') off.abort();
  await call.aborted;
  await settled;
  CALLED_OFF.push({ run, calls: run.calls.length });
}

/** A word every few milliseconds, for as long as somebody listens. */
const goingOn: UpstreamReply = (res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const clock = setInterval(() => res.write(chunk({ content: 'on and ' })), 2);
  res.once('close', () => {
    clearInterval(clock);
  });
};

export const ABORTS: Case[] = [
  {
    name: 'abort: no reply yet',
    means: 'called off before the upstream has said anything: the upstream’s call ends at once',
    lacks: ({ abortsCreate }) => without(abortsCreate),
    async run({ calls, begin }) {
      await callOff(begin(hang()), calls.create, 'at once');
    },
  },
  {
    name: 'abort: no token yet',
    means: 'called off when the stream has begun and nothing has come',
    lacks: ({ abortsStream }) => without(abortsStream),
    async run({ calls, begin }) {
      await callOff(begin(rawBytes([], { end: 'hang' })), calls.stream, 'at once');
    },
  },
  {
    name: 'abort: mid-stream',
    means: 'called off in the middle of the stream',
    lacks: ({ abortsMidStream, showsProgress }, path) =>
      without(abortsMidStream) ?? (path === '/v2 cycle' ? without(showsProgress) : undefined),
    async run({ calls, begin }) {
      await callOff(begin(goingOn), calls.stream, 'after some pieces');
    },
  },
];

/** The model's answer breaks; in a cycle that is the draft, after the guidance. */
async function expectBreak({ calls, path, begin }: Stage, broken: UpstreamReply, ...words: string[]) {
  const whole = answers({ content: '' });
  const run = begin((res, call) => (role('guidance')(call) ? whole : broken)(res, call));
  await expectFailure(calls.stream({ prompt: `${ASKED} ${run.tag}`, once: true }), ...words);
  expect(run.calls).toHaveLength(path === '/v2 cycle' ? 2 : 1);
}

export const BREAKS: Case[] = [
  {
    name: 'broken stream',
    means: 'a connection that is cut in the middle of a stream is an error, never an end',
    run: (stage) => expectBreak(stage, dieMidStream(['Half ', 'of '])),
  },
  {
    name: 'error in stream',
    means: '`data: {"error": …}` in the middle of a stream is an error with its words',
    run: (stage) => expectBreak(stage, ERROR_IN_STREAM, 'The model fell over.'),
  },
];

const ERROR_IN_STREAM = rawBytes([
  chunk({ role: 'assistant', content: 'Half' }),
  'data: {"error":{"message":"The model fell over.","type":"api_error","code":null,"param":null}}\n\n',
  DONE,
]);
