/**
 * Values by HTTP: raw bytes under `/kv/<key>`. The key is percent-encoded UTF-8 and may contain slashes.
 */
import { Buffer } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { KEY_BYTES_MAX } from "../../base/limits.ts";
import { promisedReply } from "../../node/promised-reply.ts";
import { binaryFromText } from "../../wire/binary-text.ts";
import { replyArray } from "../reply-forms.ts";
import { type Consistency, NO_TTL } from "../vocabulary.ts";
import { badRequest, HttpFailure } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";

/** Response headers: the version that compare-and-set compares, and what remains of the time to live. */
const VERSION_HEADER = "crema-version";
const TTL_HEADER = "crema-ttl-ms";

export function addKeyRoutes(app: FastifyInstance, services: HttpServices): void {
  const { door, requestTimeoutMs } = services;

  app.get("/kv/*", async (request, reply) => {
    const key = keyOf(request);
    const consistency = consistencyOf(request);
    const found = await promisedReply((sink) =>
      door.read(door.shardOf(key), { type: "get-versioned", key }, consistency, requestTimeoutMs, sink),
    );
    if (found === null) throw keyNotFound();
    const [value, version, remainingMs] = replyArray(found);
    reply.header(VERSION_HEADER, String(version));
    if (Number(remainingMs) >= 0) reply.header(TTL_HEADER, String(remainingMs));
    return reply.type("application/octet-stream").send(Buffer.from(String(value), "latin1"));
  });

  app.put("/kv/*", async (request, reply) => {
    const key = keyOf(request);
    const ttlMs = ttlOf(request);
    const value = bytesOf(request.body).toString("latin1");
    const version = await promisedReply((sink) =>
      door.write(
        door.shardOf(key),
        { type: "set", key, value, ttlMs, condition: "always", expectedVersion: 0, returnOld: false },
        requestTimeoutMs,
        sink,
      ),
    );
    return reply.header(VERSION_HEADER, String(version)).code(204).send();
  });

  app.delete("/kv/*", async (request, reply) => {
    const key = keyOf(request);
    const removed = await promisedReply((sink) =>
      door.write(door.shardOf(key), { type: "delete", keys: [key] }, requestTimeoutMs, sink),
    );
    if (removed === 0) throw keyNotFound();
    return reply.code(204).send();
  });
}

function keyOf(request: FastifyRequest): string {
  const { "*": text } = request.params as { readonly "*": string };
  const key = binaryFromText(text);
  if (key.length >= 1 && key.length <= KEY_BYTES_MAX) return key;
  throw badRequest(`a key has 1 .. ${KEY_BYTES_MAX} bytes, this one has ${key.length}`);
}

function consistencyOf(request: FastifyRequest): Consistency {
  const wanted = queryOf(request, "consistency");
  if (wanted === undefined) return "linearizable";
  if (wanted === "local" || wanted === "linearizable") return wanted;
  throw badRequest(`consistency is local or linearizable, not ${wanted}`);
}

function ttlOf(request: FastifyRequest): number {
  const wanted = queryOf(request, "ttlMs");
  if (wanted === undefined) return NO_TTL;
  const ttlMs = Number(wanted);
  if (/^[0-9]+$/.test(wanted) && Number.isSafeInteger(ttlMs) && ttlMs >= 1) return ttlMs;
  throw badRequest(`ttlMs is an integer >= 1, not ${wanted}`);
}

function queryOf(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | readonly string[]>>)[name];
  if (value === undefined || typeof value === "string") return value;
  throw badRequest(`${name} is given more than once`);
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function keyNotFound(): HttpFailure {
  return new HttpFailure(404, "KEY_NOT_FOUND", "no such key");
}
