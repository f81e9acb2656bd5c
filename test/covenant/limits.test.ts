import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MachineState } from '../../src/covenant/machine/state.ts';
import {
  dieMidStream,
  failure,
  hang,
  hangMidStream,
  role,
  startUpstream,
  streamed,
  type Upstream,
} from '../support/upstream.ts';
import { openBench, type Bench } from './support.ts';

const verdict = (fields: object) =>
  JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...fields });
const issue = (id: string) => ({ id, severity: 'major', where: 'the whole', fix: `Mend ${id}.` });
const usage = (tokens: number) => ({ prompt_tokens: tokens, completion_tokens: 0 });

describe('what a cycle may cost', () => {
  let upstream: Upstream;
  let bench: Bench;
  beforeEach(async () => {
    upstream = await startUpstream();
    bench = await openBench(upstream);
  });
  afterEach(async () => {
    await bench.close();
    await upstream.close();
  });

  const run = async (options: object = {}, request: object = {}) => {
    const input = bench.input();
    const running = await bench.cycles.start({
      ...input,
      request: { ...input.request, ...request },
      options: { ...input.options, ...options },
    });
    return running.done;
  };

  it('keeps a review in reserve: a draft that could not be reviewed any more is not begun', async () => {
    upstream.expect(role('guidance'), streamed(['Go.'], { usage: usage(2_500) }));
    // Guidance, draft and review fit by the estimates; what the guidance really takes leaves too little for both.
    const result = await run({ maxTotalTokens: 4_500 });
    expect(result).toMatchObject({
      outcome: 'token_budget',
      answer: '',
      finishReason: 'length',
      usage: { total_tokens: 2_500 },
    });
    upstream.assertComplete();
  });

  it('does not throw finished work away when the budget ends: the best reviewed draft is delivered', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(100) }))
      .expect(role('draft'), streamed(['Nearly.'], { usage: usage(1_000) }))
      .expect(
        role('verdict'),
        streamed([verdict({ decision: 'revise', issues: [issue('a')] })], { usage: usage(2_600) }),
      );
    const result = await run({ maxTotalTokens: 6_000 });
    expect(result).toMatchObject({ outcome: 'token_budget', answer: 'Nearly.', rounds: 1 });
    expect(result.reason).toContain('the best of those that were reviewed; it was not approved');
    upstream.assertComplete();
  });

  it('breaks an answer off that grows past the budget, and counts what it has cost', async () => {
    const word = ' river';
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(100) }))
      .expect(role('draft'), hangMidStream(Array.from({ length: 6_000 }, () => word)));
    const result = await run({ maxTotalTokens: 6_000 });
    expect(result).toMatchObject({ outcome: 'token_budget', answer: '' });
    expect(result.usage.total_tokens).toBeGreaterThan(2_000);
    expect(result.usage.total_tokens).toBeLessThanOrEqual(6_000);
    const call = await upstream.call(2);
    await call.aborted;
  });

  it('asks for no repair of a verdict that the budget has no room for', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(100) }))
      .expect(role('draft'), streamed(['Done.'], { usage: usage(1_000) }))
      .expect(role('verdict'), streamed(['Fine!'], { usage: usage(4_500) }));
    const result = await run({ maxTotalTokens: 6_000 });
    expect(result).toMatchObject({ outcome: 'token_budget', answer: 'Done.', verdicts: [] });
    expect(result.reason).toContain('not reviewed');
    upstream.assertComplete();
  });

  it('stops when its time is up, with what was reviewed until then', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Nearly.']))
      .expect(role('verdict'), streamed([verdict({ decision: 'revise', issues: [issue('a')] })]))
      .expect(role('draft'), hang());
    const result = await run({ maxSeconds: 0.7 });
    expect(result).toMatchObject({ outcome: 'time_budget', answer: 'Nearly.' });
    await (
      await upstream.call(4)
    ).aborted;
  });

  it('counts what an upstream that breaks off had already said', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(10) }))
      .expect(role('draft'), dieMidStream(['The Rhine ', 'and ']));
    const result = await run();
    expect(result).toMatchObject({ outcome: 'upstream_error', answer: '', error: { status: 502 } });
    expect(result.usageByAgent.codey?.completion_tokens).toBeGreaterThan(2);
  });

  it('delivers the reviewed draft, and says so, when the upstream fails in a later round', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Nearly.']))
      .expect(role('verdict'), streamed([verdict({ decision: 'revise', issues: [issue('a')] })]))
      .expect(role('draft'), failure(500, { message: 'out of order' }));
    const result = await run();
    expect(result).toMatchObject({ outcome: 'upstream_error', answer: 'Nearly.', error: { status: 500 } });
    expect(result.reason).toContain('out of order');
  });

  it('a draft worse than the one before it is not what is delivered', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Nearly.']))
      .expect(role('verdict'), streamed([verdict({ decision: 'revise', issues: [issue('a')] })]))
      .expect(role('draft'), streamed(['Much worse.']))
      .expect(
        role('verdict'),
        streamed([verdict({ decision: 'revise', issues: [issue('a'), issue('b'), issue('c')] })]),
      );
    const result = await run({ maxRounds: 1 });
    expect(result).toMatchObject({ outcome: 'max_rounds', answer: 'Nearly.', rounds: 2 });
    expect(result.reason).toContain('round 1');
    upstream.assertComplete();
  });

  it('with no revision permitted the one draft is reviewed all the same', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Nearly.']))
      .expect(role('verdict'), streamed([verdict({ decision: 'revise', issues: [issue('a')] })]));
    const result = await run({ maxRounds: 0 });
    expect(result).toMatchObject({ outcome: 'max_rounds', answer: 'Nearly.', rounds: 1 });
    expect(result.verdicts).toHaveLength(1);
  });

  it('asks about an open issue that an approval passes over, and quotes it', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['One.']))
      .expect(role('verdict'), streamed([verdict({ decision: 'revise', issues: [issue('too-short')] })]))
      .expect(role('draft'), streamed(['One and two.']))
      .expect(role('verdict'), streamed([verdict({})]))
      .expect(role('verdict'), streamed([verdict({ resolved: ['too-short'] })]));
    const result = await run();
    expect(result).toMatchObject({ outcome: 'approved', answer: 'One and two.', rounds: 2 });
    const asked = upstream.calls[5]?.json as { messages: { content: string }[] };
    expect(asked.messages.at(-1)?.content).toContain('too-short');
    upstream.assertComplete();
  });

  it('holds a draft to the JSON schema that the client gave, whatever the reviewer says', async () => {
    const schema = {
      type: 'object',
      properties: { rivers: { type: 'array', items: { type: 'string' }, minItems: 2 } },
      required: ['rivers'],
      additionalProperties: false,
    };
    upstream
      .expect(role('guidance'), streamed(['JSON.']))
      .expect(role('draft'), streamed(['{"rivers":["Rhine"],"note":""}']))
      .expect(role('verdict'), streamed([verdict({})]))
      .expect(role('draft'), streamed(['{"rivers":["Rhine","Rhône"]}']))
      .expect(role('verdict'), streamed([verdict({})]));
    const result = await run(
      {},
      { response_format: { type: 'json_schema', json_schema: { name: 'r', strict: true, schema } } },
    );
    expect(result).toMatchObject({ outcome: 'approved', answer: '{"rivers":["Rhine","Rhône"]}', rounds: 2 });
    const [, draft, review, revision] = upstream.calls.map(
      ({ json }) => json as { response_format?: object; messages: { content: string }[] },
    );
    expect(draft?.response_format).toMatchObject({ json_schema: { name: 'r' } });
    const quoted =
      'json_schema: FAILED. the answer must NOT have additional properties: note; /rivers must NOT have fewer than 2 items.';
    expect(review?.messages.at(-1)?.content).toContain(quoted);
    expect(revision?.messages.at(-1)?.content).toContain(quoted);
  });

  it('estimates what the upstream has not counted: nothing is for free', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: null }))
      .expect(role('draft'), streamed(['Done.'], { usage: null, finishReason: 'length' }))
      .expect(role('verdict'), streamed([verdict({})], { usage: null }));
    const result = await run();
    expect(result).toMatchObject({ outcome: 'approved', finishReason: 'length' });
    expect(result.usageByAgent.codey?.total_tokens).toBeGreaterThan(20);
    expect(result.usageByAgent.beatrice?.total_tokens).toBeGreaterThan(100);
  });

  it('stores each step with the time it took and what it cost', async () => {
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(11) }))
      .expect(role('draft'), streamed(['Done.'], { usage: usage(12), delayMs: 5 }))
      .expect(role('verdict'), streamed([verdict({})], { usage: usage(13) }));
    const { cycleId } = await run();
    const { cycle, steps } = await bench.cycles.get(cycleId);
    expect(steps.map(({ output }) => (output?.['usage'] as { total_tokens: number }).total_tokens)).toEqual([
      11, 12, 13,
    ]);
    const took = steps.reduce((sum, { output }) => sum + Number(output?.['ms']), 0);
    expect((cycle.machine as unknown as MachineState).workedMs).toBe(took);
    expect(took).toBeGreaterThan(0);
  });
});
