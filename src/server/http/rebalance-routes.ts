/**
 * Moving replicas for the sake of balance: how far it is, and stopping it for a while.
 */
import type { FastifyInstance } from "fastify";
import { BODY_BYTES_MAX, jsonBody } from "./admin-routes.ts";
import type { HttpServices } from "./http-services.ts";

export function addRebalanceRoutes(app: FastifyInstance, { admin }: HttpServices): void {
  app.get("/rebalance", async () => admin.rebalanceStatus());

  for (const [path, paused] of [
    ["/rebalance/pause", true],
    ["/rebalance/resume", false],
  ] as const) {
    app.post(path, { bodyLimit: BODY_BYTES_MAX }, async (request) => {
      jsonBody(request);
      await admin.setRebalancePaused(paused);
      return { paused };
    });
  }
}
