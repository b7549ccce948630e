import { describe, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { useDoor } from "./use-door.ts";

const use = useDoor();

async function field(section: string, name: string): Promise<string | undefined> {
  const text = (await use.ask(`INFO ${section}`)) as string;
  return new RegExp(`^${name}:(.*)\r$`, "m").exec(text)?.[1];
}

describe("INFO", () => {
  test("has its sections in Redis' form", async () => {
    const text = (await use.ask("INFO")) as string;
    expect(text.match(/^# \w+\r$/gm)).toEqual(
      [
        "Server",
        "Clients",
        "Memory",
        "Persistence",
        "Stats",
        "Replication",
        "Cpu",
        "Errorstats",
        "Cluster",
        "Keyspace",
      ].map((title) => `# ${title}\r`),
    );
    for (const line of text.split("\r\n")) expect(line).toMatch(/^(# \w+|[a-z0-9_]+:.*|)$/);
    expect(((await use.ask("INFO everything")) as string).includes("# Commandstats")).toBe(true);
    expect(((await use.ask("INFO cpu server")) as string).match(/^#/gm)?.length).toBe(2);
  });

  test("tells who it is", async () => {
    expect(await field("server", "crema_version")).toBe("1.2.3");
    expect(await field("server", "tcp_port")).toBe(String(use.fixture.server.address.port));
    expect(await field("server", "process_id")).toBe(String(process.pid));
  });

  test("counts what happens", async () => {
    await use.ask("CONFIG RESETSTAT");
    for (let n = 0; n < 5; n++) await use.ask("GET k");
    await use.ask("GET");
    await use.ask("NOSUCH");
    expect(await field("commandstats", "cmdstat_get")).toMatch(
      /^calls=6,usec=[1-9]\d*,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0$/,
    );
    expect(await field("errorstats", "crema_errors")).toBe("refused=2,failed=0");
    expect(Number(await field("stats", "total_net_input_bytes"))).toBeGreaterThan(100);
    expect(Number(await field("memory", "used_memory"))).toBeGreaterThan(1_000_000);
  });

  test("tells what went for want of room and of use, and what the limits are", async () => {
    Object.assign(use.admin.counters, {
      cache_evictions_total: 7,
      cache_expirations_total: 3,
      cache_idle_expirations_total: 2,
      capacity_writes_refused_total: 4,
    });
    expect(await field("stats", "evicted_keys")).toBe("7");
    expect(await field("stats", "expired_keys")).toBe("3");
    expect(await field("stats", "crema_idle_expired_keys")).toBe("2");
    expect(await field("stats", "crema_writes_refused_for_room")).toBe("4");
    expect(await field("memory", "maxmemory")).toBe("0");
    expect(await field("memory", "maxmemory_policy")).toBe("noeviction");
  });

  test("counts the keys of all shards, and says when it cannot", async () => {
    expect(await field("keyspace", "db0")).toBeUndefined();
    for (let n = 0; n < 9; n++) await use.ask(`SET k${n} v`);
    expect(await field("keyspace", "db0")).toBe("keys=9");
    use.door.failWith((_, shard) => (shard === 1 ? clusterError("CREMA_NO_LEADER") : null));
    expect(await field("keyspace", "crema_keys")).toBe("unknown");
  });

  test("tells whether the node is ready", async () => {
    expect(await field("cluster", "crema_ready")).toBe("1");
    use.admin.notReady = "because";
    expect(await field("cluster", "crema_ready")).toBe("0");
    use.admin.notReady = null;
  });
});
