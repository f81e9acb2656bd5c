import type { Logger } from '../../base/logger.ts';
import type { CycleSpan } from './cycle-spans.ts';

export interface OtlpOptions {
  /** The collector's address, such as http://127.0.0.1:4318; `/v1/traces` is added. */
  endpoint: string;
  /** Sent with each export: where the collector wants a key. */
  headers: Record<string, string>;
  serviceName: string;
  version: string;
  logger: Logger;
}

/** Sends spans to a collector, in the background and in batches. */
export interface SpanExporter {
  /** Takes spans in order, parents first. Returns at once. */
  send(spans: CycleSpan[]): void;
  /** Sends what waits, for two seconds at most. Never rejects. */
  close(): Promise<void>;
}

/** A collector that does not answer must hold up neither the queue nor a stop of the server. */
const TIMEOUT_MS = 5_000;
const CLOSE_MS = 2_000;
/** A warning at most so often: a collector that is down is down for every batch. */
const WARN_EVERY_MS = 60_000;

/**
 * OTLP over HTTP, as JSON. The packages are optional dependencies, loaded here and only here.
 * @throws Error when they are not installed
 */
export async function createOtlpExporter(options: OtlpOptions): Promise<SpanExporter> {
  const { endpoint, headers, serviceName, version, logger } = options;
  const [api, trace, otlp, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const collector = new otlp.OTLPTraceExporter({ url, headers, timeoutMillis: TIMEOUT_MS });
  let warnedAt = -Infinity;
  const telling: InstanceType<typeof otlp.OTLPTraceExporter> = Object.create(collector, {
    export: {
      value: (...[spans, done]: Parameters<typeof collector.export>) => {
        collector.export(spans, (result) => {
          if (result.error && performance.now() - warnedAt > WARN_EVERY_MS) {
            warnedAt = performance.now();
            logger.warn({ err: result.error, spans: spans.length }, 'spans could not be exported');
          }
          done(result);
        });
      },
    },
  }) as typeof collector;
  // The record has given every span its ids: the tracer is told the next one.
  const next = { traceId: '', spanId: '' };
  const provider = new trace.BasicTracerProvider({
    sampler: new trace.AlwaysOnSampler(),
    resource: resources.resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: [
      new trace.BatchSpanProcessor(telling, { scheduledDelayMillis: 1_000, exportTimeoutMillis: TIMEOUT_MS }),
    ],
  });
  const tracer = provider.getTracer('covenant-command-cycle', version);
  return {
    send: (spans) => {
      for (const span of spans) {
        next.traceId = span.traceId;
        next.spanId = span.spanId;
        const parent = span.parentId !== null && {
          traceId: span.traceId,
          spanId: span.parentId,
          traceFlags: api.TraceFlags.SAMPLED,
        };
        const context = parent ? api.trace.setSpanContext(api.ROOT_CONTEXT, parent) : api.ROOT_CONTEXT;
        // Without a parent the trace id comes from the generator; with one it is the parent's.
        const kind = span.client ? api.SpanKind.CLIENT : api.SpanKind.INTERNAL;
        const { name, attributes, startedAt } = span;
        const open = tracer.startSpan(name, { kind, attributes, startTime: new Date(startedAt) }, context);
        for (const event of span.events) open.addEvent(event.name, event.attributes, new Date(event.at));
        if (span.error !== null) open.setStatus({ code: api.SpanStatusCode.ERROR, message: span.error });
        open.end(new Date(span.endedAt));
      }
    },
    close: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}
