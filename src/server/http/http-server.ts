/**
 * The HTTP door: health, status, metrics, events, values and orders. The routes are in the files beside this one;
 * here are the listener, the limits, and one way for every failure.
 */
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { Address } from "../../base/address.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../base/limits.ts";
import { listenError } from "../listen.ts";
import type { Logger } from "../logger.ts";
import type { RespStats } from "../resp-stats.ts";
import type { AdminDoor, RequestDoor } from "../vocabulary.ts";
import { addAdminRoutes } from "./admin-routes.ts";
import { addBackupRoutes } from "./backup-routes.ts";
import { addEventRoutes } from "./event-routes.ts";
import { EventStreams } from "./event-streams.ts";
import { addHealthRoutes } from "./health-routes.ts";
import { HttpConnections } from "./http-connections.ts";
import { failureAnswer, HttpFailure, INTERNAL_FAILURE } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";
import { addKeyRoutes } from "./key-routes.ts";
import { MetricsPage } from "./metrics-page.ts";
import { addRebalanceRoutes } from "./rebalance-routes.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 binds any free port. */
  readonly port: number;
  readonly door: RequestDoor;
  readonly admin: AdminDoor;
  /** What the Redis door counts; null when it is closed. */
  readonly respStats: RespStats | null;
  readonly logger: Logger;
  /** One deadline for everything a request on keys sets in motion. Default 5,000 ms. */
  readonly requestTimeoutMs?: number;
  /** Between two lines of an idle event stream. Default 15,000 ms. */
  readonly heartbeatMs?: number;
}

export interface HttpServer {
  /** Where it listens, with the real port. */
  readonly address: Address;
  /** Stops listening, ends event streams, lets running requests finish for at most 5 s. Idempotent: later calls wait for the first. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 5_000;
const HEARTBEAT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** A percent-encoded byte takes three. */
const ENCODED_KEY_MAX = KEY_BYTES_MAX * 3;
/** Of a request: its line with the longest key, and its headers. */
const HEAD_BYTES_MAX = ENCODED_KEY_MAX + 16 * 1024;

/** Every route, as the answer to an unknown one lists them. */
export const HTTP_ROUTES: readonly string[] = Object.freeze([
  "GET /healthz",
  "GET /readyz",
  "GET /safe-to-stop",
  "GET /status",
  "GET /metrics",
  "GET /events",
  "GET /kv/<key>",
  "PUT /kv/<key>",
  "DELETE /kv/<key>",
  "POST /admin/join",
  "POST /admin/leave",
  "GET /rebalance",
  "POST /rebalance/pause",
  "POST /rebalance/resume",
  "GET /backup",
  "GET /backup/shards/<shard>",
  "POST /backup/entries",
]);

/** Opens the door. Rejects with `CREMA_ADDRESS_IN_USE` when the port is taken. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const services: HttpServices = {
    door: options.door,
    admin: options.admin,
    metrics: new MetricsPage(options.admin, options.respStats),
    events: new EventStreams(options.admin, options.logger, options.heartbeatMs ?? HEARTBEAT_MS),
    logger: options.logger,
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  };
  const app = createApp(services);
  const connections = new HttpConnections(app.server);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    throw error instanceof Error ? listenError(error, options, "--http-port") : error;
  }
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= closeApp(app, connections, services);
    return closing;
  };
  return { address: { host: options.host, port }, close, [Symbol.asyncDispose]: close };
}

async function closeApp(
  app: FastifyInstance,
  connections: HttpConnections,
  { events, logger }: HttpServices,
): Promise<void> {
  events.close();
  connections.closeWhenIdle();
  const deadline = setTimeout(() => {
    logger.warn({}, "HTTP clients that did not finish in time are closed");
    connections.destroyAll();
  }, CLOSE_TIMEOUT_MS);
  await app.close();
  clearTimeout(deadline);
}

function createApp(services: HttpServices): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: VALUE_BYTES_MAX,
    forceCloseConnections: false,
    frameworkErrors: (error, _request, reply) => sendFailure(services, reply, error),
    http: { maxHeaderSize: HEAD_BYTES_MAX },
    routerOptions: { maxParamLength: ENCODED_KEY_MAX, ignoreTrailingSlash: false },
  });
  // Bodies are bytes, whatever they are called; the routes that want JSON read it themselves.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => sendFailure(services, reply, error));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({
      code: "NOT_FOUND",
      message: "no such route",
      retryable: false,
      ambiguous: false,
      routes: HTTP_ROUTES,
    }),
  );
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    services.metrics.httpAnswered(route, request.method, reply.statusCode, reply.elapsedTime / 1_000);
  });
  addHealthRoutes(app, services);
  addEventRoutes(app, services);
  addKeyRoutes(app, services);
  addAdminRoutes(app, services);
  addRebalanceRoutes(app, services);
  addBackupRoutes(app, services);
  return app;
}

function sendFailure({ logger }: HttpServices, reply: FastifyReply, error: unknown): FastifyReply {
  let answer = failureAnswer(fastifyFailure(error) ?? error);
  if (answer === null) {
    logger.error({ error }, "an HTTP request failed");
    answer = INTERNAL_FAILURE;
  }
  if (answer.retryAfterSeconds !== null) reply.header("retry-after", String(answer.retryAfterSeconds));
  return reply.code(answer.status).send(answer.body);
}

/** What the framework refused before a route saw it, in the door's words; null for anything else. */
function fastifyFailure(error: unknown): HttpFailure | null {
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  const status = error.statusCode;
  if (typeof status !== "number" || status < 400 || status > 499) return null;
  return new HttpFailure(status, status === 413 ? "TOO_LARGE" : "BAD_REQUEST", error.message);
}
