/**
 * `/metrics` in Prometheus' text form: what the process, the node, the Redis door and this door count. The registry
 * is this page's own, so that several nodes in one process do not meet in a global one.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { RespStats } from "../resp-stats.ts";
import type { AdminDoor } from "../vocabulary.ts";
import { respMetricsText } from "./resp-metrics-text.ts";

const PREFIX = "crema_";
/** Seconds; HTTP requests end in the same range as commands. */
const HTTP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Gathers all metrics of one node when somebody asks. */
export class MetricsPage {
  readonly #admin: AdminDoor;
  readonly #resp: RespStats | null;
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #httpDuration: Histogram<"route" | "method" | "status">;

  /** `resp` is null when the Redis door is closed. */
  constructor(admin: AdminDoor, resp: RespStats | null) {
    this.#admin = admin;
    this.#resp = resp;
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    this.#httpDuration = new Histogram({
      name: `${PREFIX}http_request_duration_seconds`,
      help: "Time from an HTTP request to its answer",
      labelNames: ["route", "method", "status"],
      buckets: HTTP_BUCKETS,
      registers: [this.#registry],
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts one answered HTTP request; `route` is the pattern, never the path: paths have no end. */
  httpAnswered(route: string, method: string, status: number, seconds: number): void {
    this.#httpDuration.observe({ route, method, status }, seconds);
  }

  async text(): Promise<string> {
    const { counters, gauges } = this.#admin.metrics();
    for (const [name, value] of Object.entries(counters)) {
      const counter = this.#counterOf(name);
      counter.reset();
      counter.inc(value);
    }
    for (const [name, value] of Object.entries(gauges)) this.#gaugeOf(name).set(value);
    const own = await this.#registry.metrics();
    return this.#resp === null ? own : `${own}\n${respMetricsText(this.#resp, PREFIX)}`;
  }

  #counterOf(name: string): Counter {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      const exported = `${PREFIX}${snakeCase(name).replace(/_total$/, "")}_total`;
      counter = new Counter({ name: exported, help: `Node counter ${name}`, registers: [this.#registry] });
      this.#counters.set(name, counter);
    }
    return counter;
  }

  #gaugeOf(name: string): Gauge {
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge({
        name: `${PREFIX}${snakeCase(name)}`,
        help: `Node gauge ${name}`,
        registers: [this.#registry],
      });
      this.#gauges.set(name, gauge);
    }
    return gauge;
  }
}

/** `bytesSent`, `bytes-sent` and `bytes sent` are all bytes_sent. */
function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^a-zA-Z0-9]+/g, "_")
    .toLowerCase();
}
