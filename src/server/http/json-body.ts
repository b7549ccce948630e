/**
 * The body of an order by HTTP: one JSON object.
 */
import type { FastifyRequest } from "fastify";
import { badRequest, HttpFailure } from "./http-failure.ts";

/** Bytes of an order. */
export const ORDER_BYTES_MAX = 64 * 1024;

/**
 * The JSON object in the body of an order; empty when there is no body. Only what calls itself JSON is taken, so that no page
 * in a browser can order anything without the browser asking first.
 */
export function jsonBody(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new HttpFailure(415, "UNSUPPORTED_MEDIA_TYPE", "send the order as application/json");
  }
  const text = Buffer.isBuffer(request.body) ? request.body.toString("utf8") : "";
  const parsed = parseJson(text === "" ? "{}" : text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw badRequest("the body is a JSON object");
  }
  return parsed as Readonly<Record<string, unknown>>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
