/**
 * `crema backup` and `crema restore` against an HTTP door that answers what a test tells it to.
 */
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandFailed } from "../../../cli/command-failed.ts";
import { ClusterHttp } from "../../../cli/operator/cluster-http.ts";
import { readCommandLine } from "../../../cli/operator/command-line.ts";
import { PLAIN } from "../../../cli/terminal/colours.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import { CremaError } from "../../../src/base/errors.ts";
import { decodeBackupFrame, encodeBackupFailed, encodeBackupHeader } from "../../../src/wire/backup-codec.ts";
import { crc32c } from "../../../src/wire/crc32c.ts";
import {
  CLUSTER,
  entry,
  fileParts,
  OTHER_CLUSTER,
  type ShardBlocks,
  sectionParts,
} from "../../wire/backup-support.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const SHARDS: readonly ShardBlocks[] = [
  [[entry("a"), entry("b", "2", 60_000)]],
  [],
  [[entry("c")], [entry("d")]],
];
const NOTHING = new Uint8Array(0);
const NOT_NOW = { code: "CREMA_NO_LEADER", message: "no leader", retryable: true, ambiguous: false };

let server: Server;
let folder: string;
let path: string;
/** Every request, as method and path. */
let seen: string[];
/** What the cluster holds according to `/backup`. */
let keysHeld: number;
/** Answers for single requests, the first one first; then the usual ones. */
let odd: Map<string, Answer[]>;

beforeEach(async () => {
  seen = [];
  odd = new Map();
  keysHeld = 0;
  folder = await mkdtemp(join(tmpdir(), "crema-backup-"));
  path = join(folder, "a.crema");
  server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    seen.push(line);
    const body = await buffer(request);
    const answer = odd.get(line.replace(/\?.*/, ""))?.shift() ?? usual;
    answer(request, response, body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  await rm(folder, { recursive: true });
});

const usual: Answer = (request, response, body) => {
  const [, shard] = /^\/backup\/shards\/(\d+)$/.exec(request.url ?? "") ?? [];
  if (shard !== undefined)
    response.end(Buffer.concat(sectionParts(Number(shard), SHARDS[Number(shard)] ?? [])));
  else if (request.url === "/backup") {
    response.end(JSON.stringify({ clusterId: CLUSTER, shardCount: SHARDS.length, keys: keysHeld, bytes: 9 }));
  } else {
    const frame = decodeBackupFrame(body);
    if (frame.type !== "block") throw new Error("not a block");
    response.end(JSON.stringify({ written: frame.entries, skipped: 0, expired: 0 }));
  }
};

const refusing =
  (status: number, failure: object): Answer =>
  (_request, response) =>
    response.writeHead(status).end(JSON.stringify(failure));

async function run(argv: readonly string[], terminal = false): Promise<{ code: number; output: string }> {
  const { command, given } = await readCommandLine(argv);
  let output = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  if (terminal) Object.assign(stdout, { isTTY: true, columns: 120, rows: 30 });
  const cluster = new ClusterHttp(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const context = { cluster, colours: PLAIN, stdout: stdout as never, stdin: new PassThrough() as never };
  const code = await command.run(given, context);
  return { code, output };
}

const backup = (...more: string[]) => run(["backup", "--out", path, ...more]);
const restore = (...more: string[]) => run(["restore", "--in", path, ...more]);
const posts = (): string[] => seen.filter((line) => line.startsWith("POST"));

async function giveFile(parts = fileParts(SHARDS, Date.now())): Promise<Buffer> {
  const bytes = Buffer.concat(parts);
  await writeFile(path, bytes);
  return bytes;
}

describe("crema backup", () => {
  it("writes every shard into one file that can be verified", async () => {
    const { code, output } = await backup();
    expect(code).toBe(0);
    expect(output).toMatch(/^3 shards, 4 keys \(35 B\) in .+: .+a\.crema has \d+ B\n$/);
    expect(await readdir(folder)).toEqual(["a.crema"]);
    const { output: verified } = await run(["backup", "verify", path]);
    expect(verified).toMatch(/a\.crema is whole: 4 keys \(35 B\) in 3 blocks, \d+ B packed\n/);
    expect(verified).toContain(`cluster ${CLUSTER}, 3 shards, created 20`);
  });

  it("and its verification speak JSON", async () => {
    const { output } = await backup("--json");
    const { length } = await readFile(path);
    const expected = { clusterId: CLUSTER, shards: 3, keys: 4, bytes: 35, fileBytes: length };
    expect(JSON.parse(output)).toMatchObject({ ...expected, file: path, elapsedMs: expect.any(Number) });
    const verified = await run(["backup", "verify", path, "--json"]);
    expect(JSON.parse(verified.output)).toMatchObject({
      ...expected,
      blocks: 3,
      createdAt: expect.stringContaining("Z"),
    });
  });

  it("draws a bar on a terminal", async () => {
    const { output } = await run(["backup", "--out", path], true);
    expect(output).toContain(`${"░".repeat(40)}   0%  0 of 3 shards, 0 keys`);
    expect(output).toContain(`${"█".repeat(40)} 100%  3 of 3 shards, 4 keys`);
  });

  it.each<[string, Answer]>([
    ["is refused for now", refusing(503, NOT_NOW)],
    [
      "is cut in the middle",
      (_request, response) => {
        const [begin, block] = sectionParts(2, SHARDS[2] ?? []);
        response.write(Buffer.concat([begin ?? NOTHING, block ?? NOTHING]), () => response.destroy());
      },
    ],
    [
      "ends too early",
      (_request, response) => void response.end(Buffer.concat(sectionParts(2, SHARDS[2] ?? []).slice(0, 2))),
    ],
    [
      "tells of its failure",
      (_request, response) => {
        const failure = encodeBackupFailed(
          new CremaError("CREMA_UNREACHABLE", "the leader died", { retryable: true }),
        );
        response.end(Buffer.concat([...sectionParts(2, SHARDS[2] ?? []).slice(0, 2), failure]));
      },
    ],
    [
      "arrives damaged",
      (_request, response) => {
        const bytes = Buffer.concat(sectionParts(2, SHARDS[2] ?? []));
        bytes[40] = (bytes[40] ?? 0) ^ 1;
        response.end(bytes);
      },
    ],
  ])("reads a shard again that %s", async (_, answer) => {
    odd.set("GET /backup/shards/2", [answer]);
    const { code, output } = await backup();
    expect(code).toBe(0);
    expect(output).toMatch(/^shard 2 is read again: .+\n3 shards, 4 keys \(35 B\)/);
    expect((await run(["backup", "verify", path])).code).toBe(0);
    expect(await readFile(path)).toHaveLength(Buffer.concat(fileParts(SHARDS)).length);
  });

  it("makes no file of two clusters, when another one answers at the same address in the middle", async () => {
    odd.set("GET /backup/shards/1", [
      (_request, response) => {
        response.end(Buffer.concat(sectionParts(1, [], Date.now(), OTHER_CLUSTER)));
      },
    ]);
    await expect(backup()).rejects.toThrow(/^the backup began in cluster .+c1, and .+ belongs to .+c2 now$/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves nothing behind when it fails for good", async () => {
    odd.set("GET /backup/shards/1", [
      refusing(500, { ...NOT_NOW, code: "CREMA_INTERNAL", retryable: false }),
    ]);
    await expect(backup()).rejects.toThrow("no leader [CREMA_INTERNAL]");
    expect(await readdir(folder)).toEqual([]);
  });

  it("touches no file that is there, unless it is told to", async () => {
    await writeFile(path, "something");
    await expect(backup()).rejects.toThrow("exists already; --force replaces it");
    expect(seen).toEqual([]);
    expect(await readFile(path, "utf8")).toBe("something");
    expect((await backup("--force")).code).toBe(0);
    expect((await run(["backup", "verify", path])).code).toBe(0);
  });

  it("says so when the node belongs to no cluster, and when nobody answers", async () => {
    odd.set("GET /backup", [
      (_request, response) => response.end(JSON.stringify({ clusterId: null, shardCount: 1, keys: 0 })),
    ]);
    await expect(backup()).rejects.toThrow("does not belong to a cluster yet");
    odd.set("GET /backup", [(_request, response) => response.destroy()]);
    await expect(backup()).rejects.toThrow(/^nobody answers at http:/);
  });

  it.each([
    [["backup"], "backup needs --out file"],
    [["backup", "check", "a"], "unexpected argument 'check' after backup"],
    [["backup", "verify"], "backup verify needs a file"],
    [["backup", "verify", "a", "--force"], "takes neither --out nor --force"],
    [["restore"], "restore needs --in file"],
    [["restore", "--in", "a", "--existing", "skip"], "--existing needs --merge"],
    [["restore", "--in", "a", "--merge", "--existing", "keep"], "neither skip nor overwrite"],
  ])("is not understood as %j", async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
    await expect(run(argv)).rejects.toThrow(UsageError);
  });
});

describe("crema restore", () => {
  it("puts every block back, times to live counted on from the backup", async () => {
    await giveFile(fileParts(SHARDS, Date.now() - 5_000));
    const { code, output } = await restore();
    expect(code).toBe(0);
    expect(output).toMatch(/restored 4 keys, in .+ keys\/s\n$/);
    expect(posts()).toHaveLength(3);
    for (const line of posts()) {
      const [, existing, elapsedMs] = /existing=(\w+)&elapsedMs=(\d+)/.exec(line) ?? [];
      expect(existing).toBe("skip");
      expect(Number(elapsedMs)).toBeGreaterThanOrEqual(5_000);
      expect(Number(elapsedMs)).toBeLessThan(60_000);
    }
  });

  it("lets times to live go on from where they were when told to", async () => {
    await giveFile(fileParts(SHARDS, Date.now() - 5_000));
    await restore("--keep-ttl");
    expect(posts()).toEqual(
      Array(3).fill(`POST /backup/entries?cluster=${CLUSTER}&existing=skip&elapsedMs=0`),
    );
  });

  it("counts no time when the clock here is behind that of the backup", async () => {
    await giveFile(fileParts(SHARDS, Date.now() + 3_600_000));
    await restore();
    expect(posts()[0]).toContain("elapsedMs=0");
  });

  it("writes nothing into a cluster that holds keys, unless it is told to", async () => {
    await giveFile();
    keysHeld = 5;
    await expect(restore()).rejects.toThrow("the cluster holds 5 keys already. Nothing was written; --merge");
    expect(posts()).toEqual([]);
    await restore("--merge");
    await restore("--merge", "--existing", "overwrite");
    expect(posts().filter((line) => line.includes("existing=skip"))).toHaveLength(3);
    expect(posts().filter((line) => line.includes("existing=overwrite"))).toHaveLength(3);
  });

  it("tells what was there already and what has expired", async () => {
    await giveFile();
    odd.set("POST /backup/entries", [
      (_request, response) => response.end(JSON.stringify({ written: 0, skipped: 1, expired: 1 })),
    ]);
    const { output } = await restore();
    expect(output).toContain("restored 2 keys (1 were there already, 1 had expired meanwhile)");
    odd.set("POST /backup/entries", []);
    expect(JSON.parse((await restore("--json")).output)).toMatchObject({
      written: 4,
      skipped: 0,
      expired: 0,
    });
  });

  it("sends a block again that was refused for now, or whose answer was lost", async () => {
    await giveFile();
    odd.set("POST /backup/entries", [
      refusing(503, NOT_NOW),
      (_request, response) => response.destroy(),
      refusing(504, { ...NOT_NOW, code: "CREMA_TIMEOUT", retryable: false, ambiguous: true }),
    ]);
    const { output } = await restore();
    expect(output).toContain("restored 4 keys");
    expect(posts()).toHaveLength(6);
  });

  it("begins only in a cluster", async () => {
    await giveFile();
    odd.set("GET /backup", [
      (_request, response) =>
        response.end(JSON.stringify({ clusterId: null, shardCount: 1, keys: 0, bytes: 0 })),
    ]);
    await expect(restore()).rejects.toThrow("does not belong to a cluster yet");
    expect(posts()).toEqual([]);
  });

  it("stops at a failure that stays, and says how to go on", async () => {
    await giveFile();
    odd.set("POST /backup/entries", [
      refusing(507, { ...NOT_NOW, code: "CLUSTER_FULL", message: "no room", retryable: false }),
    ]);
    const failure: unknown = await restore().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandFailed);
    expect(String(failure)).toMatch(
      /the cluster is full: no room \[CLUSTER_FULL\]\nstopped after \d of 4 keys/,
    );
    expect(String(failure)).toContain("with --merge to go on");
  });

  it.each<[string, (file: Buffer) => Buffer, RegExp]>([
    [
      "is damaged near its end",
      (file) => flipped(file, file.length - 30),
      /is damaged at byte \d+, in shard 2: /,
    ],
    ["is damaged in its first block", (file) => flipped(file, 70), /is damaged at byte \d+, in shard 0: /],
    ["was cut", (file) => file.subarray(0, -1), /is damaged at byte \d+: it ends too early/],
    ["is empty", () => Buffer.alloc(0), /is damaged at byte 0: it ends too early/],
    ["is something else", () => Buffer.from("PNG and so on"), /is not a backup of crema/],
    ["comes from a later version", newerFormat, /was written by a newer version of crema: it has format 9/],
  ])("writes nothing of a file that %s", async (_, damage, message) => {
    await writeFile(path, damage(await giveFile()));
    await expect(restore()).rejects.toThrow(message);
    await expect(run(["backup", "verify", path])).rejects.toThrow(message);
    await expect(restore()).rejects.toThrow(CommandFailed);
    expect(seen).toEqual([]);
  });

  it("names a file that is not there, or is none", async () => {
    await expect(restore()).rejects.toThrow(`no such file: ${path}`);
    await expect(run(["restore", "--in", folder])).rejects.toThrow(`${folder} cannot be read: EISDIR`);
  });

  it("draws a bar on a terminal", async () => {
    await giveFile();
    const { output } = await run(["restore", "--in", path], true);
    expect(output).toContain(`${"█".repeat(40)} 100%  3 of 3 shards, 4 keys`);
  });
});

function flipped(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy[at] = (copy[at] ?? 0) ^ 4;
  return copy;
}

function newerFormat(): Buffer {
  const header = Buffer.from(encodeBackupHeader({ clusterId: CLUSTER, shardCount: 1, createdAtMs: 0 }));
  header.writeUInt16BE(9, 8);
  header.writeUInt32BE(crc32c(header, 0, header.length - 4), header.length - 4);
  return header;
}
