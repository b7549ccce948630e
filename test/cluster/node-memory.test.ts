import { expect, it, vi } from "vitest";
import { bootNonce } from "../../src/base/ids.ts";
import { FORMER_BOOTS_MAX } from "../../src/base/limits.ts";
import { Random } from "../../src/base/random.ts";
import { NodeMemory } from "../../src/cluster/node-memory.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";
import { CLUSTER, idOf, mapOf } from "./example-map.ts";

// A crash may leave any of the records as the last. One that knew its cluster and no map could neither found it nor find it.
it("never writes which cluster a node belongs to without a map of it", () => {
  const clock = new VirtualClock();
  const store = new VirtualLogStore(new VirtualDisk(clock, new Random(1, 1)), clock);
  const saveNode = vi.spyOn(store, "saveNode");
  const self = { nodeId: idOf(1), boot: bootNonce("00000000000000aa") };
  const memory = new NodeMemory(store, self, null);
  void memory.born();
  memory.entered(CLUSTER);
  memory.learned(mapOf(3));
  expect(saveNode.mock.calls.map(([{ clusterId, map }]) => [clusterId, map !== null])).toEqual([
    [null, false],
    [CLUSTER, true],
  ]);
});

it("remembers the life that the map names through more restarts than it remembers lives", () => {
  const clock = new VirtualClock();
  const store = new VirtualLogStore(new VirtualDisk(clock, new Random(1, 1)), clock);
  const saveNode = vi.spyOn(store, "saveNode");
  const map = mapOf(3);
  const [self] = map.members;
  if (self === undefined) throw new Error("the map has members");
  for (let life = 0; life < 2 * FORMER_BOOTS_MAX; life++) {
    const boot = life === 0 ? self.boot : bootNonce(life.toString(16).padStart(16, "0"));
    const past = saveNode.mock.lastCall?.[0] ?? null;
    const memory = new NodeMemory(store, { nodeId: self.nodeId, boot }, past);
    void memory.born();
    if (life === 0) {
      memory.entered(map.clusterId);
      memory.learned(map);
      continue;
    }
    expect(memory.formerBoots, `life ${life}`).toContain(self.boot);
    expect(memory.formerBoots.length).toBeLessThanOrEqual(FORMER_BOOTS_MAX);
  }
});
