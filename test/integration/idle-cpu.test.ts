/**
 * A cluster that nobody asks anything costs next to nothing.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";

const MEASURED_MS = 6_000;
const SETTLING_MS = 4_000;
/** Linux counts CPU time in these, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;
const SHARE_MAX = 0.05;

it.skipIf(process.platform !== "linux")(
  "three idle nodes each take less than 5% of one core (skipped where there is no /proc)",
  async () => {
    const cluster = new TestCluster();
    const nodes = await cluster.start(3, { "log-level": "info" });
    await cluster.untilBalanced();
    // What is measured here is time itself: first groups go quiet, then a few seconds of nothing.
    await delay(SETTLING_MS);
    const before = nodes.map((node) => cpuSeconds(node.pid));
    const startedAtMs = performance.now();
    await delay(MEASURED_MS);
    const elapsedSeconds = (performance.now() - startedAtMs) / 1_000;
    const shares = nodes.map((node, index) => (cpuSeconds(node.pid) - (before[index] ?? 0)) / elapsedSeconds);
    for (const share of shares)
      expect(share, `shares of one core: ${shares.join(", ")}`).toBeLessThan(SHARE_MAX);
  },
  60_000,
);

/** User and system time that process `pid` has used. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold blanks; the fields after it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
