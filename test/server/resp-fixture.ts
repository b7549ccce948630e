/**
 * A RESP door over a fake request door, on a free port of this machine.
 */
import type { RespLimits } from "../../src/server/resp-options.ts";
import { openRespServer, type RespServer } from "../../src/server/resp-server.ts";
import type { NodeFacts } from "../../src/server/server-settings.ts";
import { FakeAdmin, FakeDoor, type FakeDoorOptions } from "./fake-door.ts";
import { RespTestClient, type Value } from "./resp-client.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Record<string, unknown>;
  readonly text: string;
}

export interface RespDoorFixture {
  readonly server: RespServer;
  readonly door: FakeDoor;
  readonly admin: FakeAdmin;
  readonly log: LogLine[];
  connect(): Promise<RespTestClient>;
  /** Asks on a connection kept for this. */
  ask(...args: readonly string[]): Promise<Value>;
  close(): Promise<void>;
}

export interface RespFixtureOptions extends FakeDoorOptions {
  readonly limits?: Partial<RespLimits>;
  readonly facts?: NodeFacts;
  readonly voters?: number;
  readonly port?: number;
}

export async function openRespDoor(options: RespFixtureOptions = {}): Promise<RespDoorFixture> {
  const door = new FakeDoor(options);
  const admin = new FakeAdmin(options.voters);
  const log: LogLine[] = [];
  const write = (level: LogLine["level"]) => (fields: object, text: string) =>
    void log.push({ level, fields: fields as Record<string, unknown>, text });
  const server = await openRespServer({
    host: "127.0.0.1",
    port: options.port ?? 0,
    door,
    admin,
    cremaVersion: "1.2.3",
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.facts === undefined ? {} : { facts: options.facts }),
  });
  const clients: RespTestClient[] = [];
  const connect = async (): Promise<RespTestClient> => {
    const client = await RespTestClient.open(server.address.port);
    clients.push(client);
    return client;
  };
  let own: RespTestClient | null = null;
  return {
    server,
    door,
    admin,
    log,
    connect,
    async ask(...args) {
      own ??= await connect();
      return own.ask(...args);
    },
    async close() {
      await server.close({ graceful: false });
      for (const client of clients) client.destroy();
    },
  };
}
