import type { Logger } from '../../base/logger.ts';
import type { ProviderInfo } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { createCycleTracer, type CycleTracer } from './cycle-tracer.ts';
import { createOtlpExporter } from './otlp-exporter.ts';

export interface Tracing {
  trace?: CycleTracer;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** Traces of cycles to a collector, when one is set; without one nothing of OpenTelemetry is loaded. Never rejects. */
export async function openTracing(
  settings: {
    OTEL_EXPORTER_OTLP_ENDPOINT: string | undefined;
    OTEL_EXPORTER_OTLP_HEADERS: string | undefined;
    OTEL_SERVICE_NAME: string;
    CCC_TRACE_CONTENT: 'on' | 'off';
  },
  deps: { dal: Pick<MemoryDAL, 'cycles'>; provider: ProviderInfo; version: string; logger: Logger },
): Promise<Tracing> {
  const none = { close: () => Promise.resolve() };
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return none;
  try {
    const exporter = await createOtlpExporter({
      endpoint,
      headers: headersOf(settings.OTEL_EXPORTER_OTLP_HEADERS ?? ''),
      serviceName: settings.OTEL_SERVICE_NAME,
      version: deps.version,
      logger: deps.logger,
    });
    const content = settings.CCC_TRACE_CONTENT === 'on';
    const { trace, settled } = createCycleTracer({ ...deps, exporter, content });
    return {
      trace,
      close: async () => {
        await settled();
        await exporter.close();
      },
    };
  } catch (error) {
    // They are optional: an installation without them is one that does not trace.
    deps.logger.warn({ err: error }, 'no traces: the @opentelemetry packages are not installed');
    return none;
  }
}

/** `name=value,name=value`, values percent-encoded, as OpenTelemetry has it. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name.trim(), decoded(value.join('=').trim())];
    }),
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
