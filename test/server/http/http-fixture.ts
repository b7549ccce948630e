/**
 * An HTTP door over a fake request door, on a free port of this machine.
 */
import { type HttpServer, openHttpServer } from "../../../src/server/http/http-server.ts";
import type { RespStats } from "../../../src/server/resp-stats.ts";
import { FakeAdmin, FakeDoor, type FakeDoorOptions } from "../fake-door.ts";

export interface HttpFixtureOptions extends FakeDoorOptions {
  readonly respStats?: RespStats;
  readonly heartbeatMs?: number;
}

export interface HttpDoorFixture {
  readonly server: HttpServer;
  readonly door: FakeDoor;
  readonly admin: FakeAdmin;
  readonly warnings: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  json(path: string, init?: RequestInit): Promise<{ readonly status: number; readonly body: unknown }>;
}

export async function openHttpDoor(options: HttpFixtureOptions = {}): Promise<HttpDoorFixture> {
  const door = new FakeDoor(options);
  const admin = new FakeAdmin();
  const warnings: string[] = [];
  const warn = (_fields: object, text: string) => void warnings.push(text);
  const server = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    door,
    admin,
    respStats: options.respStats ?? null,
    logger: { debug() {}, info() {}, warn, error: warn },
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });
  const base = `http://127.0.0.1:${server.address.port}`;
  const ask = (path: string, init?: RequestInit) => fetch(base + path, init);
  return {
    server,
    door,
    admin,
    warnings,
    fetch: ask,
    async json(path, init) {
      const response = await ask(path, init);
      return { status: response.status, body: await response.json() };
    },
  };
}
