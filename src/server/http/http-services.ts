/**
 * Everything the routes of the HTTP door can reach.
 */
import type { Logger } from "../logger.ts";
import type { AdminDoor, RequestDoor } from "../vocabulary.ts";
import type { EventStreams } from "./event-streams.ts";
import type { MetricsPage } from "./metrics-page.ts";

export interface HttpServices {
  readonly door: RequestDoor;
  readonly admin: AdminDoor;
  readonly metrics: MetricsPage;
  readonly events: EventStreams;
  readonly logger: Logger;
  /** One deadline for everything a request on keys sets in motion. */
  readonly requestTimeoutMs: number;
}
