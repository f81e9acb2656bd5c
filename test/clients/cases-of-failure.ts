import { expect } from 'vitest';
import { chunk, DONE, dieMidStream, hang, hangMidStream, rawBytes } from '../support/upstream.ts';
import { expectFailure, without, type Case, type Stage } from './case.ts';
import type { Ask, Reply } from './client.ts';
import type { Run } from './server.ts';

/** Runs that were called off, and how many calls they had made by then. */
export const CALLED_OFF: { run: Run; calls: number }[] = [];

const ASKED = 'Name three rivers.';

/** Calls a request off once `ready`; both sides must hear of it. */
async function callOff(
  run: Run,
  ask: (ask: Ask) => Promise<Reply>,
  ready: (heard: Promise<void>) => Promise<unknown>,
): Promise<void> {
  const off = new AbortController();
  let onPiece: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => {
    onPiece = resolve;
  });
  const settled = ask({ prompt: `${ASKED} ${run.tag}`, signal: off.signal, onPiece }).then(
    () => undefined,
    () => undefined,
  );
  const call = await run.call(1);
  await ready(heard);
  off.abort();
  await call.aborted;
  await settled;
  CALLED_OFF.push({ run, calls: run.calls.length });
}

export const ABORTS: Case[] = [
  {
    name: 'abort: no reply yet',
    means: 'called off before the upstream has said anything: the upstream’s call ends at once',
    lacks: ({ abortsCreate }) => without(abortsCreate),
    async run({ calls, begin }) {
      await callOff(begin(hang()), calls.create, () => Promise.resolve());
    },
  },
  {
    name: 'abort: no token yet',
    means: 'called off when the stream has begun and nothing has come',
    lacks: ({ abortsStream }) => without(abortsStream),
    async run({ calls, begin }) {
      await callOff(begin(rawBytes([], { end: 'hang' })), calls.stream, () => Promise.resolve());
    },
  },
  {
    name: 'abort: mid-stream',
    means: 'called off in the middle of the stream',
    lacks: ({ showsProgress }, path) => (path === '/v2 cycle' ? without(showsProgress) : undefined),
    async run({ calls, begin }) {
      await callOff(begin(hangMidStream(['Once ', 'upon ', 'a ', 'time '])), calls.stream, (heard) => heard);
    },
  },
];

async function expectBreak({ calls, begin }: Stage, reply: Parameters<Stage['begin']>[0], words: RegExp) {
  const run = begin(reply);
  await expectFailure(calls.stream({ prompt: `${ASKED} ${run.tag}` }), words);
  expect(run.calls).toHaveLength(1);
}

export const BREAKS: Case[] = [
  {
    name: 'broken stream',
    means: 'a connection that is cut in the middle of a stream is an error, never an end',
    run: (stage) => expectBreak(stage, dieMidStream(['Half ', 'of ']), /./),
  },
  {
    name: 'error in stream',
    means: '`data: {"error": …}` in the middle of a stream is an error with its words',
    run: (stage) =>
      expectBreak(
        stage,
        rawBytes([
          chunk({ role: 'assistant', content: 'Half' }),
          `data: {"error":{"message":"The model fell over.","type":"api_error","code":null,"param":null}}\n\n`,
          DONE,
        ]),
        /The model fell over\./,
      ),
  },
];
