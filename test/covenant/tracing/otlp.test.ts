import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { openTracing } from '../../../src/covenant/tracing/open-tracing.ts';
import { failure, role, startUpstream, streamed, type Upstream } from '../../support/upstream.ts';
import { openBench, type Bench } from '../support.ts';

interface Attribute {
  key: string;
  value: {
    stringValue?: string;
    intValue?: number;
    boolValue?: boolean;
    arrayValue?: { values: Attribute['value'][] };
  };
}
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  events: { name: string; attributes: Attribute[] }[];
  status: { code: number; message?: string };
}
interface Export {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[];
}

const verdict = (fields: object) =>
  JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...fields });
const REVISE = verdict({
  decision: 'revise',
  issues: [{ id: 'a', severity: 'major', where: 'the whole', fix: 'Name a second river.' }],
});
const valueOf = ({ value }: Attribute): unknown =>
  value.arrayValue ? value.arrayValue.values.map((one) => one.stringValue) : Object.values(value)[0];
const attributesOf = ({ attributes }: { attributes: Attribute[] }) =>
  Object.fromEntries(attributes.map((one) => [one.key, valueOf(one)]));

/** A collector that takes OTLP as JSON, as a real one does on port 4318. */
async function startCollector() {
  const requests: { url: string; headers: Record<string, unknown>; body: string }[] = [];
  let status = 200;
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      requests.push({
        url: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(parts).toString('utf8'),
      });
      res.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const spans = () =>
    requests.flatMap(({ body }) =>
      (JSON.parse(body) as Export).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans),
      ),
    );
  return {
    requests,
    spans,
    answerWith: (code: number) => (status = code),
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

describe('traces of cycles', () => {
  let upstream: Upstream;
  let bench: Bench;
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let tracing: Awaited<ReturnType<typeof openTracing>>;
  const warnings: unknown[] = [];

  const open = async (content: 'on' | 'off' = 'off', endpoint = collector.endpoint) => {
    // The bench's record is made with its service: the tracer is told of it afterwards.
    const holder: { trace?: (run: { cycleId: string; fromStep: number }) => void } = {};
    bench = await openBench(upstream, { trace: (run) => holder.trace?.(run) });
    tracing = await openTracing(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret%20key',
        OTEL_SERVICE_NAME: 'ccc-test',
        CCC_TRACE_CONTENT: content,
      },
      {
        dal: bench.dal,
        provider: { name: 'openai', baseUrl: upstream.baseUrl, defaultModel: 'm' },
        version: '1.2.3',
        logger: { ...silentLogger, warn: (...args: unknown[]) => warnings.push(args) } as typeof silentLogger,
      },
    );
    if (tracing.trace) holder.trace = tracing.trace;
  };
  /** Runs a cycle and gives its spans once they have been sent. */
  const traced = async () => {
    const running = await bench.cycles.start(bench.input());
    const result = await running.done;
    await expect.poll(() => collector.spans().length, { timeout: 5_000 }).toBeGreaterThan(0);
    return { result, spans: collector.spans() };
  };
  beforeEach(async () => {
    warnings.length = 0;
    upstream = await startUpstream();
    collector = await startCollector();
  });
  afterEach(async () => {
    await tracing.close();
    await bench.close();
    await upstream.close();
    await collector.close();
  });
  const twoRounds = () =>
    upstream
      .expect(role('guidance'), streamed(['Two, no more.']))
      .expect(role('draft'), streamed(['The Rhine.']))
      .expect(role('verdict'), streamed([REVISE]))
      .expect(role('draft'), streamed(['The Rhine and the Rhône.']))
      .expect(role('verdict'), streamed([verdict({ resolved: ['a'] })]));

  it('are spans of a cycle, its rounds and its calls, by the conventions for generative AI', async () => {
    await open();
    twoRounds();
    const { result, spans } = await traced();
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const [root] = spans.filter(({ parentSpanId }) => !parentSpanId);
    expect(root?.name).toBe('invoke_workflow covenant_cycle');
    expect(attributesOf(root!)).toMatchObject({
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.conversation.id': bench.conversationId,
      'ccc.cycle.id': result.cycleId,
      'ccc.cycle.outcome': 'approved',
      'ccc.cycle.rounds': 2,
    });
    const childrenOf = (parent: Span) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
    const [retrieval, ...rounds] = childrenOf(root!);
    expect(retrieval?.name).toBe('retrieval memory');
    expect(attributesOf(retrieval!)).toMatchObject({ 'ccc.step': 'retrieve', 'ccc.context.turn_ids': [] });
    expect(rounds.map(({ name }) => name)).toEqual(['round 1', 'round 2']);
    const steps = rounds.map((round) => childrenOf(round).map((span) => attributesOf(span)['ccc.step']));
    expect(steps).toEqual([
      ['guidance', 'execute', 'verdict'],
      ['execute', 'verdict'],
    ]);
    const [guidance, draft] = childrenOf(rounds[0]!);
    expect(guidance?.name).toBe('chat beatrice-model');
    // CLIENT in OTLP.
    expect(guidance?.kind).toBe(3);
    const stored = (await bench.cycles.get(result.cycleId)).steps[0];
    const usage = stored?.output?.['usage'] as Record<string, number>;
    expect(attributesOf(guidance!)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'beatrice-model',
      'gen_ai.agent.name': 'beatrice',
      'gen_ai.usage.input_tokens': usage['prompt_tokens'],
      'gen_ai.usage.output_tokens': usage['completion_tokens'],
      'server.address': '127.0.0.1',
      'ccc.step.attempt': 1,
      'ccc.prompt.hash': stored?.input['prompt_hash'],
    });
    expect(Number(guidance?.startTimeUnixNano)).toBe((stored?.startedAt ?? 0) * 1e6);
    expect(draft?.events.map(({ attributes }) => attributesOf({ attributes })['ccc.check.name'])).toContain(
      'not_empty',
    );
  });

  it('name the service and bring the collector its headers, and no word of anybody', async () => {
    await open();
    twoRounds();
    await traced();
    const [request] = collector.requests;
    expect(request?.url).toBe('/v1/traces');
    expect(request?.headers['x-key']).toBe('secret key');
    const { resource } = (JSON.parse(request?.body ?? '{}') as Export).resourceSpans[0]!;
    expect(attributesOf(resource)).toMatchObject({ 'service.name': 'ccc-test', 'service.version': '1.2.3' });
    for (const text of ['Rhine', 'no more', 'rivers', 'sk-test', 'Name a second']) {
      expect(request?.body).not.toContain(text);
    }
  });

  it('bring the words with them when that is set', async () => {
    await open('on');
    twoRounds();
    const { spans } = await traced();
    const texts = spans.flatMap((span) => attributesOf(span)['gen_ai.output.messages'] ?? []);
    expect(
      texts.map(
        (text) => (JSON.parse(String(text)) as { parts: { content: string }[] }[])[0]?.parts[0]?.content,
      ),
    ).toEqual(expect.arrayContaining(['Two, no more.', 'The Rhine.', 'The Rhine and the Rhône.']));
    expect(JSON.stringify(spans)).not.toContain('sk-test');
  });

  it('say what failed, and not what the upstream said about it', async () => {
    await open();
    upstream.expect(role('guidance'), failure(401, { message: 'Incorrect API key sk-123 provided' }));
    const { result, spans } = await traced();
    expect(result.outcome).toBe('upstream_error');
    const call = spans.find(({ name }) => name.startsWith('chat'));
    expect(call?.status).toMatchObject({ code: 2, message: '401' });
    expect(attributesOf(call!)['error.type']).toBe('401');
    expect(collector.requests[0]?.body).not.toContain('sk-123');
  });

  it('of a cycle that goes on are one trace, and tell each call once', async () => {
    await open();
    const ask = verdict({ decision: 'ask_person' });
    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Which?']))
      .expect(role('verdict'), streamed([ask]));
    const { result } = await traced();
    const before = collector.spans().length;
    upstream
      .expect(role('draft'), streamed(['The Rhine and the Rhône.']))
      .expect(role('verdict'), streamed([verdict({})]));
    const input = { decision: 'steer' as const, text: 'European.', draftHash: result.draftHash ?? '' };
    await (
      await bench.cycles.decide(result.cycleId, input)
    ).done;
    await expect.poll(() => collector.spans().length, { timeout: 5_000 }).toBeGreaterThan(before);
    const spans = collector.spans();
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(spans.filter(({ name }) => name.startsWith('chat'))).toHaveLength(5);
    expect(spans.filter(({ parentSpanId }) => !parentSpanId)).toHaveLength(1);
  });

  it('that nobody takes delay no cycle and fail none; the log says so once', async () => {
    await open();
    collector.answerWith(400);
    twoRounds();
    const running = await bench.cycles.start(bench.input());
    expect((await running.done).outcome).toBe('approved');
    await tracing.close();
    expect(collector.requests.length).toBeGreaterThan(0);
    expect(warnings).toHaveLength(1);
  });
});

describe('without a collector', () => {
  it('nothing of OpenTelemetry is there', async () => {
    const tracing = await openTracing(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
        OTEL_EXPORTER_OTLP_HEADERS: undefined,
        OTEL_SERVICE_NAME: 'x',
        CCC_TRACE_CONTENT: 'off',
      },
      {
        dal: {} as never,
        provider: { name: 'rehearsal', baseUrl: null, defaultModel: 'm' },
        version: '0',
        logger: silentLogger,
      },
    );
    expect(tracing).not.toHaveProperty('trace');
    await tracing.close();
  });
});
