/**
 * The route of the event streams.
 */
import type { FastifyInstance } from "fastify";
import { EVENT_STREAMS_MAX } from "./event-streams.ts";
import { HttpFailure } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";

export function addEventRoutes(app: FastifyInstance, { events }: HttpServices): void {
  app.get("/events", { exposeHeadRoute: false }, async (_request, reply) => {
    if (events.size >= EVENT_STREAMS_MAX) {
      throw new HttpFailure(503, "TOO_MANY_STREAMS", `${EVENT_STREAMS_MAX} event streams are open already`);
    }
    reply.hijack();
    events.add(reply.raw);
  });
}
