/** What an operator may force when a majority is lost for good, and what it costs. */
import { describe, expect, test } from "vitest";
import { logIndex, term } from "../../src/base/ids.ts";
import { EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import { FORCED_TERM_STEP } from "../../src/raft/forced.ts";
import { Cluster, dataApplied, nodeOf } from "./cluster.ts";
import { answers, append, heartbeat } from "./messages.ts";

/** Three voters, of which 1 led: it alone holds `c`. 2 and 3 have `a` and `b`. 1 and 2 are then lost. */
function leftAlone(): Cluster {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.propose("a", "b");
  cluster.settle();
  cluster.isolate(1);
  cluster.propose("c");
  cluster.isolate(2);
  return cluster;
}

describe("a replica that is forced", () => {
  test("leads alone with the log it has, in a term nobody else has reached, and commits its tail", () => {
    const cluster = leftAlone();
    const survivor = cluster.host(3);
    const before = survivor.raft.term;
    expect(survivor.raft.forceAlone()).toEqual({ type: "forced", term: before + FORCED_TERM_STEP });
    cluster.settle();
    expect(survivor.raft).toMatchObject({ role: "leader", term: before + FORCED_TERM_STEP });
    expect(survivor.raft.configuration.voters).toEqual([nodeOf(3)]);
    expect(dataApplied(survivor)).toEqual(["a", "b"]);
    expect(survivor.raft.commit).toBe(survivor.raft.lastIndex);
  });

  test("does not lead before its vote and its configuration are durable", () => {
    const cluster = leftAlone();
    const survivor = cluster.host(3);
    survivor.persistsAtOnce = false;
    survivor.raft.forceAlone();
    cluster.settle();
    expect(survivor.raft.role).toBe("candidate");
    survivor.persist();
    cluster.settle();
    expect(survivor.raft.role).toBe("leader");
  });

  test("is still the only voter after a restart, and leads again", () => {
    const cluster = leftAlone();
    const survivor = cluster.host(3);
    survivor.raft.forceAlone();
    cluster.settle();
    survivor.restart();
    cluster.tick(40);
    cluster.settle();
    expect(survivor.raft.role).toBe("leader");
    expect(dataApplied(survivor)).toEqual(["a", "b"]);
  });

  test("is not deposed by the lost, however many elections they have held", () => {
    const cluster = leftAlone();
    const survivor = cluster.host(3);
    survivor.raft.forceAlone();
    cluster.settle();
    const { raft } = survivor;
    const path = { from: 1, to: 3, term: 1_000 };
    const said = answers(survivor, heartbeat(path, 3, 1), append(path, [3, 1], [1_000]));
    expect(raft.role).toBe("leader");
    expect(said.every(({ term: told }) => told === raft.term)).toBe(true);
  });

  test("takes others in again by the ordinary way, and they forget what only they held", () => {
    const cluster = leftAlone();
    const survivor = cluster.host(3);
    survivor.raft.forceAlone();
    cluster.settle();
    cluster.heal();
    survivor.raft.proposeMembership({ type: "simple", steps: [{ type: "add-voter", node: nodeOf(2) }] });
    cluster.settle();
    cluster.propose("d");
    cluster.settle();
    expect(dataApplied(cluster.host(2))).toEqual(["a", "b", "d"]);
  });

  test("gives up what it owed to a former life: nobody is left to whom it could be owed", () => {
    const cluster = new Cluster();
    const tombstone = { term: term(4), vote: null, lastIndex: logIndex(9), lastTerm: term(4) };
    const host = cluster.add(5, EMPTY_CONFIGURATION, tombstone);
    expect(host.raft.forceAlone()).toEqual({ type: "forced", term: 4 + FORCED_TERM_STEP });
    cluster.settle();
    expect(host.raft.role).toBe("leader");
  });
});

test("a leader is not forced: it has the majority that was said to be lost", () => {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  expect(cluster.raft(1).forceAlone()).toEqual({ type: "refused", reason: "is-leader" });
});
