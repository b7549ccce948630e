/**
 * What an operator can order by HTTP: join other seeds, drain a node. Only JSON is taken, so that no page in a
 * browser can order it without the browser asking first.
 */
import type { FastifyInstance } from "fastify";
import { type Address, parseAddress } from "../../base/address.ts";
import { isHex64, type NodeId, nodeId } from "../../base/ids.ts";
import { badRequest } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";
import { jsonBody, ORDER_BYTES_MAX } from "./json-body.ts";

const SEEDS_MAX = 1_000;

export function addAdminRoutes(app: FastifyInstance, { admin }: HttpServices): void {
  app.post("/admin/join", { bodyLimit: ORDER_BYTES_MAX }, async (request) => {
    const seeds = seedsIn(jsonBody(request));
    await admin.join(seeds);
    return { joined: true, seeds: seeds.length };
  });

  app.post("/admin/leave", { bodyLimit: ORDER_BYTES_MAX }, async (request) => {
    const node = nodeIn(jsonBody(request));
    await admin.leave(node);
    return { left: true, nodeId: node ?? admin.nodeId };
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
