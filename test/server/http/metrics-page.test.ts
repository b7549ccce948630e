import { afterEach, beforeEach, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { openRespDoor, type RespDoorFixture } from "../resp-fixture.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let resp: RespDoorFixture;
let http: HttpDoorFixture;

beforeEach(async () => {
  resp = await openRespDoor({ limits: { clientsMax: 3 } });
  http = await openHttpDoor({ respStats: resp.server.stats });
});

afterEach(async () => {
  await http.server.close();
  await resp.close();
});

/** All samples of the page by name with labels; fails on a line that is not of the text format. */
async function samples(): Promise<Map<string, number>> {
  const response = await http.fetch("/metrics");
  expect(response.headers.get("content-type")).toContain("text/plain");
  const found = new Map<string, number>();
  const types = new Set<string>();
  for (const line of (await response.text()).split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    if (line.startsWith("# TYPE ")) {
      const [, , name = "", type = ""] = line.split(" ");
      expect(types.has(name), `${name} is declared once`).toBe(false);
      expect(["counter", "gauge", "histogram", "summary"]).toContain(type);
      types.add(name);
      continue;
    }
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="[^"]*",?)*\})? (\S+)$/.exec(line);
    expect(match, line).not.toBeNull();
    const sample = `${match?.[1]}${match?.[2] ?? ""}`;
    expect(found.has(sample), `${sample} appears once`).toBe(false);
    found.set(sample, match?.[3] === "Nan" ? Number.NaN : Number(match?.[3]));
  }
  return found;
}

test("every counter of the Redis door moves under load", async () => {
  const before = await samples();
  const client = await resp.connect();
  for (let n = 0; n < 20; n++) await client.ask("SET", `k${n}`, "v");
  for (let n = 0; n < 20; n++) await client.ask("GET", `k${n}`);
  await client.ask("INCR", "k0");
  await client.ask("NOSUCH");
  await client.ask("DBSIZE");
  await client.ask("PING");
  await client.ask("INFO", "server");
  resp.door.failWith(() => clusterError("CREMA_NO_LEADER"));
  await client.ask("GET", "k1");
  const bad = await resp.connect();
  bad.write("*x\r\n");
  await bad.untilClosed();
  await Promise.all([resp.connect(), resp.connect()]);
  await (await resp.connect()).untilClosed();
  const after = await samples();
  const growth = (name: string) => (after.get(name) ?? Number.NaN) - (before.get(name) ?? Number.NaN);
  expect(growth('crema_resp_commands_total{command="set"}')).toBe(20);
  expect(growth('crema_resp_commands_total{command="get"}')).toBe(21);
  expect(growth("crema_resp_unknown_commands_total")).toBe(1);
  expect(growth("crema_resp_protocol_errors_total")).toBe(1);
  expect(growth("crema_resp_connections_accepted_total")).toBe(4);
  expect(growth("crema_resp_connections_rejected_total")).toBe(1);
  expect(growth("crema_resp_connections")).toBe(3);
  expect(growth("crema_resp_read_bytes_total")).toBeGreaterThan(500);
  expect(growth("crema_resp_written_bytes_total")).toBeGreaterThan(200);
  expect(growth("crema_resp_socket_writes_total")).toBeGreaterThan(40);
  for (const [labels, count] of [
    ['family="write",outcome="ok"', 20],
    ['family="write",outcome="refused"', 1],
    ['family="read",outcome="ok"', 20],
    ['family="read",outcome="failed"', 1],
    ['family="keyspace",outcome="ok"', 1],
    ['family="connection",outcome="ok"', 1],
    ['family="server",outcome="ok"', 1],
  ] as const) {
    const name = "crema_resp_command_duration_seconds";
    expect(growth(`${name}_count{${labels}}`), labels).toBe(count);
    expect(growth(`${name}_bucket{${labels},le="+Inf"}`), labels).toBe(count);
    expect(growth(`${name}_bucket{${labels},le="10"}`), labels).toBe(count);
    expect(growth(`${name}_sum{${labels}}`), labels).toBeGreaterThan(0);
  }
});

test("buckets are cumulative", async () => {
  await resp.ask("SET", "k", "v");
  const found = [...(await samples())].filter(([name]) =>
    name.startsWith('crema_resp_command_duration_seconds_bucket{family="write",outcome="ok"'),
  );
  expect(found.length).toBe(17);
  for (let at = 1; at < found.length; at++) {
    expect(found[at]?.[1]).toBeGreaterThanOrEqual(found[at - 1]?.[1] ?? Number.POSITIVE_INFINITY);
  }
});

test("the node's counters are exported as counters, its gauges as gauges", async () => {
  http.admin.counters = { "raft entries applied": 3, bytesSent: 10 };
  const text = await (await http.fetch("/metrics")).text();
  expect(text).toContain("# TYPE crema_raft_entries_applied_total counter");
  expect(text).toContain("\ncrema_raft_entries_applied_total 3\n");
  expect(text).toContain("\ncrema_bytes_sent_total 10\n");
  expect(text).toContain("# TYPE crema_groups gauge");
  http.admin.counters = { "raft entries applied": 8, bytesSent: 11 };
  const later = await samples();
  expect(later.get("crema_raft_entries_applied_total")).toBe(8);
  expect(later.get("crema_bytes_sent_total")).toBe(11);
  expect(later.get("crema_groups")).toBe(5);
});

test("the process and the HTTP requests are measured", async () => {
  await http.fetch("/kv/some/key");
  await http.fetch("/nothing");
  const found = await samples();
  expect(found.get("crema_process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  const count = "crema_http_request_duration_seconds_count";
  expect(found.get(`${count}{route="/kv/*",method="GET",status="404"}`)).toBe(1);
  expect(found.get(`${count}{route="unknown",method="GET",status="404"}`)).toBe(1);
});
