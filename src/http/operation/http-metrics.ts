import { Counter, Histogram, type Registry } from 'prom-client';

/** Requests by route pattern, and how long they took. */
export class HttpMetrics {
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #duration: Histogram<'route'>;
  /** To look labels up costs more than to count. As many as there are routes, methods and statuses. */
  readonly #series = new Map<string, { count: Counter.Internal; time: Histogram.Internal<'route'> }>();

  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: 'ccc_http_requests_total',
      help: 'Requests answered, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
    });
    this.#duration = new Histogram({
      name: 'ccc_http_request_duration_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['route'],
      // From what a pass-through costs to what a long cycle takes.
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300],
      registers: [registry],
    });
  }

  observe(method: string, route: string, status: number, ms: number): void {
    const key = `${method} ${route} ${String(status)}`;
    let series = this.#series.get(key);
    if (!series) {
      series = {
        count: this.#requests.labels({ method, route, status: String(status) }),
        time: this.#duration.labels({ route }),
      };
      this.#series.set(key, series);
    }
    series.count.inc();
    series.time.observe(ms / 1000);
  }
}
