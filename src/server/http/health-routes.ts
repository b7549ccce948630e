/**
 * What orchestrators ask: does the process live, may it get traffic, may it be stopped. And what people ask: status.
 */
import type { FastifyInstance } from "fastify";
import type { HttpServices } from "./http-services.ts";

export function addHealthRoutes(app: FastifyInstance, { admin, metrics }: HttpServices): void {
  app.get("/healthz", async () => ({ status: "ok", nodeId: admin.nodeId }));

  app.get("/readyz", async (_request, reply) => {
    const reason = admin.notReadyReason();
    return reply.code(reason === null ? 200 : 503).send({ ready: reason === null, reason });
  });

  app.get("/safe-to-stop", async (_request, reply) => {
    const reason = await admin.unsafeToStopReason();
    return reply.code(reason === null ? 200 : 409).send({ safe: reason === null, reason });
  });

  app.get("/status", async () => admin.clusterStatus());

  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
