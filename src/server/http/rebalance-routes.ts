/**
 * Moving replicas for the sake of balance: how far it is, and stopping it for a while.
 */
import type { FastifyInstance } from "fastify";
import type { HttpServices } from "./http-services.ts";
import { jsonBody, ORDER_BYTES_MAX } from "./json-body.ts";

export function addRebalanceRoutes(app: FastifyInstance, { admin }: HttpServices): void {
  app.get("/rebalance", async () => admin.rebalanceStatus());

  for (const [path, paused] of [
    ["/rebalance/pause", true],
    ["/rebalance/resume", false],
  ] as const) {
    app.post(path, { bodyLimit: ORDER_BYTES_MAX }, async (request) => {
      jsonBody(request);
      await admin.setRebalancePaused(paused);
      return { paused };
    });
  }
}
