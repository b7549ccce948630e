/**
 * What happens to disks. A slow one delays whatever waits for it; a full one makes its node hand over and wait for space; one
 * that breaks stops the replicas that cannot write, and its node is started again once it is well; a flipped bit is found by the
 * next process that reads the disk: it costs a group its data, or the node its disk, and so its id. When the power goes while the disk is behind, writes that were not
 * synced are lost, and one of them may have been written by half.
 */
import { drawDurationMs, drawLife, type Fault, isUp } from "./fault.ts";
import { bootLater, losePowerBehind } from "./process-faults.ts";

const SLOW_TYPICAL_MS = 3_000;
const SLOW_LONGEST_MS = 12_000;
/** The mean time of a sync on a disk that is slow, at most. */
const SLOW_SYNC_MS_MAX = 80;
const STALL_MS_MAX = 4_000;
const FULL_TYPICAL_MS = 2_000;
const FULL_LONGEST_MS = 8_000;

const slow: Fault = {
  kind: "slow-disk",
  inject(tools) {
    const { random } = tools;
    const life = drawLife(tools);
    const disk = life?.host.disk ?? null;
    if (life === null || disk === null) return null;
    if (random.nextBelow(3) === 0) {
      const stallMs = random.nextFloat() * STALL_MS_MAX;
      disk.stallFor(stallMs);
      return `that of ${life.name} syncs nothing for ${stallMs.toFixed(0)} ms`;
    }
    const { syncMeanMs } = disk.conditions;
    const meanMs = random.nextFloat() * SLOW_SYNC_MS_MAX;
    const durationMs = drawDurationMs(random, SLOW_TYPICAL_MS, SLOW_LONGEST_MS);
    disk.setConditions({ syncMeanMs: meanMs });
    tools.later(durationMs, () => disk.setConditions({ syncMeanMs }));
    return `that of ${life.name} takes ${meanMs.toFixed(0)} ms a sync for ${durationMs.toFixed(0)} ms`;
  },
};

const full: Fault = {
  kind: "full-disk",
  inject(tools) {
    const life = drawLife(tools);
    const disk = life?.host.disk ?? null;
    if (life === null || disk === null || disk.full) return null;
    const durationMs = drawDurationMs(tools.random, FULL_TYPICAL_MS, FULL_LONGEST_MS);
    disk.full = true;
    tools.later(durationMs, () => {
      disk.full = false;
    });
    return `that of ${life.name} for ${durationMs.toFixed(0)} ms`;
  },
};

const broken: Fault = {
  kind: "broken-disk",
  inject(tools) {
    const life = drawLife(tools);
    const disk = life?.host.disk ?? null;
    if (life === null || disk === null || disk.broken) return null;
    const durationMs = drawDurationMs(tools.random, FULL_TYPICAL_MS, FULL_LONGEST_MS);
    disk.broken = true;
    tools.later(durationMs, () => {
      disk.broken = false;
      if (life.host.life !== life || !isUp(life)) return;
      tools.fleet.kill(life, "killed");
      bootLater(tools, life.host);
    });
    return `that of ${life.name} for ${durationMs.toFixed(0)} ms`;
  },
};

const bitFlip: Fault = {
  kind: "bit-flip",
  final: true,
  inject(tools) {
    const life = drawLife(tools);
    if (life === null || life.host.disk?.flipBit() !== true) return null;
    tools.fleet.kill(life, "power-lost");
    return `on the disk of ${life.name}, ${bootLater(tools, life.host)}`;
  },
};

const lostWrites: Fault = {
  kind: "lost-writes",
  inject: (tools) => losePowerBehind(tools, { loses: true, tears: false }),
};

const tornWrite: Fault = {
  kind: "torn-write",
  inject: (tools) => losePowerBehind(tools, { loses: true, tears: true }),
};

export function diskFaults(durable: boolean): readonly Fault[] {
  return durable ? [slow, full, broken, bitFlip, lostWrites, tornWrite] : [];
}
