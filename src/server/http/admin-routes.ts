/**
 * What an operator can order by HTTP: join other seeds, drain a node, recover from a lost majority. Only JSON is taken, so that no page in a
 * browser can order it without the browser asking first.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Address, parseAddress } from "../../base/address.ts";
import { isHex64, type NodeId, nodeId } from "../../base/ids.ts";
import { badRequest, HttpFailure } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";

/** Bytes of an order. */
export const BODY_BYTES_MAX = 64 * 1024;
const SEEDS_MAX = 1_000;

export function addAdminRoutes(app: FastifyInstance, { admin }: HttpServices): void {
  app.post("/admin/join", { bodyLimit: BODY_BYTES_MAX }, async (request) => {
    const seeds = seedsIn(jsonBody(request));
    await admin.join(seeds);
    return { joined: true, seeds: seeds.length };
  });

  app.post("/admin/leave", { bodyLimit: BODY_BYTES_MAX }, async (request) => {
    const node = nodeIn(jsonBody(request));
    await admin.leave(node);
    return { left: true, nodeId: node ?? admin.nodeId };
  });

  app.get("/admin/recover", () => admin.recoveryPlan());

  app.post("/admin/recover", { bodyLimit: BODY_BYTES_MAX }, async (request) => {
    return await admin.recover(lostIn(jsonBody(request)));
  });
}

/** The JSON object in the body of an order; empty when there is no body. */
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

/** Named one by one: whoever orders it has read the plan. */
function lostIn({ lost }: Readonly<Record<string, unknown>>): readonly NodeId[] {
  if (!Array.isArray(lost)) throw badRequest("lost is the list of node ids that GET /admin/recover told");
  return lost.map((node: unknown) => {
    if (typeof node === "string" && isHex64(node)) return nodeId(node);
    throw badRequest(`not a node id: ${JSON.stringify(node)}`);
  });
}

function seedsIn({ seeds }: Readonly<Record<string, unknown>>): readonly Address[] {
  if (!Array.isArray(seeds) || seeds.length === 0 || seeds.length > SEEDS_MAX) {
    throw badRequest(`seeds is a list of 1 .. ${SEEDS_MAX} addresses, such as ["10.0.0.5:7946"]`);
  }
  return seeds.map((seed: unknown) => {
    const address = typeof seed === "string" ? parseAddress(seed) : null;
    if (address === null) throw badRequest(`not an address of the form host:port: ${JSON.stringify(seed)}`);
    return address;
  });
}

function nodeIn({ nodeId: wanted }: Readonly<Record<string, unknown>>): NodeId | null {
  if (wanted === undefined || wanted === null) return null;
  if (typeof wanted === "string" && isHex64(wanted)) return nodeId(wanted);
  throw badRequest("nodeId is 16 hexadecimal digits, or absent for this node");
}
