/**
 * Everything a command of the RESP door can reach, besides its own request.
 */
import type { Client } from "./client.ts";
import type { CommandTable } from "./command-table.ts";
import type { RespStats } from "./resp-stats.ts";
import type { ServerSettings } from "./server-settings.ts";
import type { AdminDoor, RequestDoor } from "./vocabulary.ts";

/** What Redis calls itself at the level of behaviour offered here: client libraries choose features by it. */
export const REDIS_VERSION = "7.0.15";

export interface RespServices {
  readonly door: RequestDoor;
  readonly admin: AdminDoor;
  readonly commands: CommandTable;
  readonly settings: ServerSettings;
  readonly stats: RespStats;
  /** Connected clients by id, oldest first. */
  readonly clients: ReadonlyMap<number, Client>;
  /** One deadline for everything a request sets in motion. */
  readonly requestTimeoutMs: number;
  /** The version of crema, for people. */
  readonly cremaVersion: string;
  /** The port the door listens on. */
  port(): number;
}
