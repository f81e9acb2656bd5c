import type { Random } from '../fuzz/random.ts';
import {
  completion,
  dieMidStream,
  failure,
  hang,
  refuse,
  role,
  slow,
  startUpstream,
  streamed,
  type Upstream,
  type UpstreamReply,
} from '../support/upstream.ts';

const WORDS = 'the harbour is quiet in the morning and the crane waits for the ship from the north'.split(
  ' ',
);
const APPROVE = '{"decision":"approve","issues":[],"resolved":[],"criteria":[],"lesson":null}';
const REVISE =
  '{"decision":"revise","issues":[{"id":"i1","severity":"major","where":"here","fix":"Name the ship."}],"resolved":[],"criteria":[],"lesson":"Name the ship."}';

/** An upstream that is well most of the time. Never answers 500: a 500 is then the server's own. */
export async function startMoodyUpstream(random: Random): Promise<Upstream> {
  const upstream = await startUpstream();
  const says = (text: () => string): UpstreamReply => {
    return (res, call) => {
      // The calls are not looked at, and there are many.
      upstream.calls.length = 0;
      return mood(random, text(), call.json?.stream === true)(res, call);
    };
  };
  const words = () => Array.from({ length: 5 + random.int(40) }, () => random.pick(WORDS)).join(' ');
  upstream
    .on(null, failure(404))
    .on('/chat/completions', says(words))
    .on(
      role('verdict'),
      says(() => (random.chance(0.75) ? APPROVE : REVISE)),
    )
    .on(
      role('summary'),
      says(() => JSON.stringify({ summary: words() })),
    )
    .on(
      role('facts'),
      says(() => '{"facts":[]}'),
    )
    .on(
      role('causal'),
      says(() => '{"events":[],"judgements":[]}'),
    );
  return upstream;
}

function mood(random: Random, text: string, stream: boolean): UpstreamReply {
  const pieces = text.match(/.{1,24}/gs) ?? [];
  const whole = stream
    ? streamed(pieces, { delayMs: random.chance(0.3) ? 3 : 0 })
    : completion({ content: text });
  const luck = random.int(100);
  if (luck < 80) return whole;
  if (luck < 86) return slow(100 + random.int(400), whole);
  if (luck < 90) return failure(503, {}, { 'retry-after-ms': '20' });
  if (luck < 92) return failure(429, {}, { 'retry-after-ms': '20' });
  if (luck < 95) return stream ? dieMidStream(pieces.slice(0, 2)) : refuse();
  if (luck < 98) return refuse();
  return hang();
}
