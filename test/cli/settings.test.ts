/**
 * What a person can type to `crema-node`, and how it is refused.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { environmentName, FLAG_NAMES, FLAGS } from "../../cli/daemon/flags.ts";
import { helpText } from "../../cli/daemon/help-text.ts";
import { isLoopback, resolveDaemonSettings } from "../../cli/daemon/settings.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { DEFAULT_NODE_OPTIONS } from "../../src/index.ts";

const directory = mkdtempSync(join(tmpdir(), "crema-settings-"));
afterAll(() => rmSync(directory, { recursive: true }));

function settings(line: string, environment: Record<string, string> = {}, onTerminal = false) {
  return resolveDaemonSettings({
    argv: line.split(" ").filter((part) => part !== ""),
    environment,
    onTerminal,
  });
}

function configFile(content: unknown): string {
  const path = join(directory, "crema.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function refusal(line: string, environment: Record<string, string> = {}): string {
  try {
    settings(line, environment);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`'${line}' was accepted`);
}

describe("crema-node settings", () => {
  it("are the documented defaults when nothing is said", () => {
    const { node, logLevel, logFormat } = settings("");
    const { respPort: _, httpPort: __, ...others } = DEFAULT_NODE_OPTIONS;
    expect(node).toMatchObject({ respPort: 6380, httpPort: 7980 });
    for (const [name, value] of Object.entries(node)) {
      if (name in others) expect([name, value]).toEqual([name, others[name as keyof typeof others]]);
    }
    expect({ logLevel, logFormat }).toEqual({ logLevel: "info", logFormat: "json" });
    expect(settings("", {}, true).logFormat).toBe("pretty");
  });

  it("reach the node from every flag", () => {
    const { node, logLevel, logFormat, exitWithParent } = settings(
      "--seed a:1,b:2 --seed c:3 --host 0.0.0.0 --insecure --port 1 --advertise x.example:9 --resp-port 2 " +
        "--http-port 3 --shards 8 --replication-factor 5 --bootstrap never --bootstrap-expect 2 --zone east --name n1 " +
        "--weight 2.5 --max-memory 1.5gb --max-entries 1000 --eviction lfu --idle-ttl 10m " +
        "--dead-grace 1500ms --drain-timeout 0 --snapshot-bandwidth 10mb --rebalance-moves 4 --gossip wan --log-level debug " +
        "--log-format pretty --exit-with-parent --data-dir /var/lib/crema --fsync interval:50 " +
        "--checkpoint-log-bytes 2mib --checkpoint-interval 90s --checkpoints-kept 3 --min-free-disk 1gib",
    );
    expect(node).toEqual({
      seeds: ["a:1", "b:2", "c:3"],
      host: "0.0.0.0",
      insecure: true,
      port: 1,
      advertise: "x.example:9",
      respPort: 2,
      httpPort: 3,
      shards: 8,
      replicationFactor: 5,
      bootstrap: "never",
      bootstrapExpect: 2,
      zone: "east",
      name: "n1",
      weight: 2.5,
      maxMemoryBytes: 1.5 * 1024 ** 3,
      maxEntries: 1_000,
      evictionPolicy: "lfu",
      idleTtlMs: 600_000,
      deadGraceMs: 1_500,
      snapshotBytesPerSecondMax: 10 * 1024 ** 2,
      rebalanceMovesMax: 4,
      drainTimeoutMs: 0,
      gossip: "wan",
      dataDir: "/var/lib/crema",
      fsync: "interval:50",
      checkpointLogBytes: 2 * 1024 * 1024,
      checkpointIntervalMs: 90_000,
      checkpointsKept: 3,
      minFreeDiskBytes: 1024 * 1024 * 1024,
    });
    expect({ logLevel, logFormat, exitWithParent }).toEqual({
      logLevel: "debug",
      logFormat: "pretty",
      exitWithParent: true,
    });
  });

  it("come from the command line before the environment, and from there before the file", () => {
    const path = configFile({
      port: 10,
      "resp-port": 11,
      "http-port": "12",
      seed: ["a:1", "b:2"],
      insecure: true,
    });
    const { node } = settings(`--config ${path} --port 30`, { CREMA_PORT: "20", CREMA_RESP_PORT: "21" });
    expect(node).toMatchObject({
      port: 30,
      respPort: 21,
      httpPort: 12,
      seeds: ["a:1", "b:2"],
      insecure: true,
    });
    expect(settings("", { CREMA_CONFIG: path }).node.port).toBe(10);
  });

  it("can each be given in the environment", () => {
    for (const name of FLAG_NAMES) expect(environmentName(name)).toMatch(/^CREMA_[A-Z_]+$/);
    expect(settings("", { CREMA_SEED: "a:1,b:2", CREMA_NO_RESP: "true", CREMA_ZONE: "" }).node).toMatchObject(
      {
        seeds: ["a:1", "b:2"],
        respPort: null,
        zone: "",
      },
    );
  });

  it("warn about a misspelt variable and leave foreign ones alone", () => {
    expect(settings("", { CREMA_SEEDS: "a:1", CREMA_HTTP: "x:1", PATH: "/bin" }).warnings).toEqual([
      "environment variable CREMA_SEEDS is not a setting; did you mean CREMA_SEED?",
    ]);
  });

  it("close a door by name", () => {
    expect(settings("--no-resp --no-http").node).toMatchObject({ respPort: null, httpPort: null });
    expect(refusal("--no-http --http-port 8000")).toBe(
      "--no-http and --http-port 8000 contradict each other",
    );
  });

  it.each([
    ["fsync", "never"],
    ["checkpoint-log-bytes", "1mib"],
    ["checkpoint-interval", "1m"],
    ["checkpoints-kept", "1"],
    ["min-free-disk", "0"],
  ] as const)("refuse --%s without --data-dir, wherever it was said", (flag, value) => {
    const refused = `--${flag} needs --data-dir: without one this node keeps nothing on a disk`;
    expect(refusal(`--${flag} ${value}`)).toBe(refused);
    expect(refusal("", { [environmentName(flag)]: value })).toBe(refused);
    expect(() => settings(`--${flag} ${value}`, { CREMA_DATA_DIR: "/var/lib/crema" })).not.toThrow();
  });

  it.each([
    ["--sed a:1", "unknown flag --sed; did you mean --seed?"],
    ["--resp_port 1", "unknown flag --resp_port; did you mean --resp-port?"],
    ["--data-directory /x", "unknown flag --data-directory"],
    ["--fsync sometimes", "--fsync: 'sometimes' is not always, never or interval:<ms>, like interval:100"],
    ["--fsync interval:0", "--fsync: 'interval:0' is not always, never or interval:<ms>, like interval:100"],
    [
      "--checkpoint-log-bytes 1kib",
      "--checkpoint-log-bytes: '1kib' is not a size 64kib .. 1tib, like 512kb, 64mb or 1gb",
    ],
    ["-p 1", "unknown flag -p"],
    ["--seed a:99999", "--seed: 'a:99999' is not host:port"],
    ["--seed a:1,b:", "--seed: 'b:' is not host:port"],
    ["--seed http://a:1", "--seed: 'http://a:1' is not host:port"],
    ["--advertise a:b:c", "--advertise: 'a:b:c' is not host:port"],
    ["--host a/b", "--host: 'a/b' is not a host name or address"],
    ["--port", "--port needs a value: port"],
    ["--port --seed a:1", "--port needs a value: port"],
    ["--port 70000", "--port: '70000' is not an integer 0 .. 65535"],
    ["--port 1 --port 2", "--port was given 2 times; it takes one value"],
    ["--shards 0", "--shards: '0' is not an integer 1 .. 4096"],
    ["--shards 1.5", "--shards: '1.5' is not an integer 1 .. 4096"],
    ["--replication-factor 8", "--replication-factor: '8' is not an integer 1 .. 7"],
    ["--weight 0", "--weight: '0' is not a number 0.1 .. 100"],
    ["--drain-timeout soon", "--drain-timeout: 'soon' is not a duration 0 .. 1h, like 250ms, 25s or 10m"],
    [
      "--max-memory 512",
      "--max-memory: '512' is not 0 and not a size 1mib .. 1024tib, like 512kb, 64mb or 1gb",
    ],
    [
      "--max-memory lots",
      "--max-memory: 'lots' is not 0 and not a size 1mib .. 1024tib, like 512kb, 64mb or 1gb",
    ],
    ["--idle-ttl 200ms", "--idle-ttl: '200ms' is not 0 and less than 1s"],
    ["--eviction fifo", "--eviction: 'fifo' is not one of lru, lfu, none"],
    ["--bootstrap maybe", "--bootstrap: 'maybe' is not one of auto, never, force"],
    ["--log-format xml", "--log-format: 'xml' is not one of pretty, json"],
    ["serve", "unexpected argument 'serve'; settings start with --"],
    ["--host 10.0.0.1", /^--host 10\.0\.0\.1 is not a loopback address .* --insecure/],
  ])("refuse %s by name", (line, message) => {
    const said = refusal(line);
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  it("name the variable or the field when the value is bad", () => {
    expect(refusal("", { CREMA_PORT: "tcp://10.0.0.1:7946" })).toBe(
      "CREMA_PORT: 'tcp://10.0.0.1:7946' is not an integer 0 .. 65535",
    );
    const path = configFile({ "resp-port": "x" });
    expect(refusal(`--config ${path}`)).toBe(`${path}: "resp-port": 'x' is not an integer 0 .. 65535`);
  });

  it.each([
    [{ respPort: 1 }, 'unknown field "respPort"; did you mean resp-port?'],
    [{ config: "x" }, 'unknown field "config"'],
    [{ port: { a: 1 } }, '"port" must be a text or a number'],
    [{ port: null }, '"port" must be a text or a number'],
    [{ insecure: "yes" }, '"insecure" must be true or false'],
    [[], "must hold one JSON object with settings as fields"],
    ["{ port: 1 }", "is not JSON"],
  ])("refuse the file %j", (content, message) => {
    const path = configFile(content);
    expect(refusal(`--config ${path}`)).toContain(message);
    expect(refusal(`--config ${path}`)).toContain(path);
  });

  it("refuse a file that is not there", () => {
    expect(refusal("--config /nowhere/crema.json")).toContain("/nowhere/crema.json");
  });

  it("know which addresses stay on this machine", () => {
    expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].map(isLoopback)).toEqual([true, true, true, true]);
    expect(["0.0.0.0", "::", "10.0.0.1", "127.example.com"].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("state a meaning for every flag", () => {
    for (const name of FLAG_NAMES) expect(FLAGS[name].meaning.length).toBeGreaterThan(10);
  });
});

describe("crema-node --help", () => {
  it("explains every flag in lines of at most 110 characters", () => {
    const lines = helpText().split("\n");
    for (const name of FLAG_NAMES) {
      const line = lines.find((each) => each.startsWith(`  --${name} `)) ?? "";
      expect(line, name).toContain(FLAGS[name].meaning);
    }
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(110);
  });
});
