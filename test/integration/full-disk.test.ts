/**
 * A disk that is full, or nearly so: its node hands over what it leads and takes no writes of its own; the fleet goes on; and
 * with space it is as before.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DurableFleet } from "./durable-fleet.ts";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("a lone node with too little space answers reads and refuses writes, and says why", async () => {
  const root = mkdtempSync(join(tmpdir(), "crema-low-disk-"));
  const cluster = new TestCluster();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const before = cluster.launch({ "data-dir": join(root, "data") });
  await before.untilReady();
  const writer = await RespClient.open(before.respPort);
  expect(await writer.ask("SET", "kept", "value")).toBe("OK");
  expect(await before.terminate()).toMatchObject({ code: 0 });

  const node = cluster.launch({ "data-dir": join(root, "data"), "min-free-disk": "1024tib" });
  await node.untilReady();
  const client = await RespClient.open(node.respPort);
  await waitUntil(
    "reads are served",
    10_000,
    async () => (await client.ask("GET", "kept")) === "value" || null,
  );
  await expect(client.ask("SET", "new", "value")).rejects.toThrow(
    /^MISCONF .*disk.*is full.*nothing was changed/,
  );
  expect(await fetch(`http://${node.ready.http}/readyz`).then((answer) => answer.text())).toContain(
    "read-only",
  );
  expect(await node.httpText("/metrics")).toMatch(/^crema_disk_full 1$/m);
  client.close();
}, 60_000);

for (const fsync of ["always", "interval:200"])
  it(`with --fsync ${fsync} a node whose disk fills up leads nothing any more, loses nothing, and recovers when there is space`, async (context) => {
    const disk = mountSmallDisk();
    if (disk === null) return context.skip("this machine lets nobody mount a small file system");
    const fleet = await DurableFleet.start(3, { "min-free-disk": "0", "dead-grace": "60s", fsync });
    await fleet.kill([0]);
    rmSync(fleet.dataDir(0), { recursive: true });
    const moved = fleet.launch(0, { "data-dir": join(disk, "data") });
    await moved.untilReady();
    await fleet.cluster.untilSettled();
    await fleet.cluster.untilBalanced();
    const load = new WriteLoad({ ports: fleet.respPorts, workers: 4, depth: 8, resend: false }).start();

    const ballast = join(disk, "ballast");
    fill(ballast);
    await waitUntil("the node knows that its disk is full", 30_000, async () => {
      const answer = await fetch(`http://${moved.ready.http}/readyz`);
      return (await answer.text()).includes("read-only") || null;
    });
    await waitUntil("the others lead everything", 30_000, async () => {
      const { shards } = await fleet.node(1).status();
      return shards.every(({ leader }) => leader !== null && leader !== moved.ready.nodeId) || null;
    });
    const acknowledged = load.acknowledgedCount;
    await waitUntil("writes go on", 20_000, () => load.acknowledgedCount > acknowledged + 1_000 || null);

    rmSync(ballast);
    await waitUntil("the node is ready again", 30_000, async () => {
      const answer = await fetch(`http://${moved.ready.http}/readyz`);
      return answer.ok || null;
    });
    await fleet.cluster.untilBalanced();
    await load.stop();
    expect(moved.exit).toBeNull();
    for (const port of fleet.respPorts) expect(await load.verify(port)).toEqual([]);
  }, 120_000);

/** A file system of 48 MiB for this test alone; null where that is not allowed. */
function mountSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "crema-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, "data"));
  return folder;
}

/** Writes until nothing fits any more. */
function fill(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(64 * 1024, 1);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
}
