/**
 * A disk that stalls: its node is heard, so nobody misses it, but it can acknowledge nothing. It hands over what it leads within
 * seconds, nobody is taken for dead, and it leads again when the disk is well. The disk is a small file system of the test's own, frozen.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DurableFleet } from "../integration/durable-fleet.ts";
import { RespClient } from "../integration/resp-client.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, LONG, Stopwatch, tell } from "./figures.ts";
import { keyPerShard, untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const STALL_MS = LONG ? 20_000 : 6_000;
const IMAGE_BYTES = 96 * 1024 * 1024;

it("a node whose disk stalls leads nothing before long, loses nothing, and leads again", async (context) => {
  const disk = mountOwnDisk();
  if (disk === null) return context.skip("this machine lets nobody mount and freeze a file system");
  const fleet = await DurableFleet.start(3, { "min-free-disk": "0", "dead-grace": "60s" });
  await fleet.kill([0]);
  rmSync(fleet.dataDir(0), { recursive: true });
  const victim = fleet.launch(0, { "data-dir": join(disk.folder, "data") });
  await victim.untilReady();
  await fleet.cluster.untilSettled();
  await fleet.cluster.untilBalanced();
  const { nodeId } = victim.ready;
  const healthy = [fleet.node(1), fleet.node(2)];
  await Promise.all(fleet.cluster.nodes.map((node) => node.exit === null && node.followEvents()));
  const door = fleet.respPorts[1] ?? 0;
  await untilWritten(door, SHARDS, 10_000, "before");

  // Before the processes are ended: one that waits for its disk cannot even be killed.
  onTestFinished(disk.thaw);
  disk.freeze();
  const since = new Stopwatch();
  // Through the one whose disk stalls: it takes requests as before, and others answer them.
  const client = await RespClient.open(victim.respPort);
  const answers = await Promise.all(keyPerShard(SHARDS).map((key) => client.send("SET", key, "during")));
  expect(answers).toEqual(Array.from({ length: SHARDS }, () => "OK"));
  expectWithin("a disk stalls: every shard is written, also through its node", since.ms, 3_000);
  expect(victim.events.map(({ type }) => type)).toContain("disk-stalled");
  expect(await victim.httpText("/metrics")).toMatch(/^crema_disk_stalled 1$/m);
  const { shards } = await fleet.node(1).status();
  expect(shards.filter(({ leader }) => leader === null || leader === nodeId)).toEqual([]);
  await waitUntil("the stall lasts", STALL_MS + 20_000, () => since.ms >= STALL_MS || null);
  const { state } = (await fleet.node(1).status()).members.find((member) => member.nodeId === nodeId) ?? {};
  expect(state).toBe("alive");

  disk.thaw();
  const thawed = new Stopwatch();
  await waitUntil("the disk is believed again", 30_000, () =>
    victim.events.some(({ type }) => type === "disk-recovered") ? true : null,
  );
  await fleet.cluster.untilBalanced();
  tell(`a disk stalled for ${STALL_MS} ms: its node leads its share again after ${thawed.ms} ms`);
  await fleet.cluster.untilSettled();
  for (const port of fleet.respPorts)
    expect(new Set(await untilRead(port, SHARDS, 10_000))).toEqual(new Set(["during"]));
  for (const node of healthy) expect(node.events.filter(({ type }) => type === "member-died")).toEqual([]);
  client.close();
}, 120_000);

interface OwnDisk {
  readonly folder: string;
  /** From now on nothing is written to it; who tries waits. */
  freeze(): void;
  thaw(): void;
}

/** An ext4 file system in a file, for this test alone; null where that is not allowed. */
function mountOwnDisk(): OwnDisk | null {
  const root = mkdtempSync(join(tmpdir(), "crema-stalled-disk-"));
  const [image, folder] = [join(root, "image"), join(root, "mounted")];
  let isFrozen = false;
  const run = (command: string, ...args: readonly string[]): void => {
    execFileSync(command, args, { stdio: "ignore" });
  };
  const thaw = (): void => {
    if (isFrozen) run("fsfreeze", "--unfreeze", folder);
    isFrozen = false;
  };
  try {
    writeFileSync(image, "");
    truncateSync(image, IMAGE_BYTES);
    run("mkfs.ext4", "-q", image);
    run("mkdir", folder);
    run("mount", "-o", "loop", image, folder);
  } catch {
    rmSync(root, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    thaw();
    run("umount", "-l", folder);
    rmSync(root, { recursive: true, force: true });
  });
  try {
    run("fsfreeze", "--freeze", folder);
    isFrozen = true;
    thaw();
  } catch {
    return null;
  }
  return {
    folder,
    freeze: () => {
      run("fsfreeze", "--freeze", folder);
      isFrozen = true;
    },
    thaw,
  };
}
