import { describe, expect, it } from "vitest";
import { bootNonce, clusterId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { Founding, type FoundingAnswer, type FoundingValue } from "../../src/cluster/founding.ts";
import { FoundingBallot } from "../../src/cluster/founding-ballot.ts";
import { identityOf } from "./example-map.ts";
import { addressOf, FoundingWorld, type Process } from "./founding-world.ts";

const settled = (world: FoundingWorld, count: number) => (): boolean =>
  world.living.filter((process) => process.clusterId !== null).length === count;

const voterSlots = (world: FoundingWorld): number[] => {
  const [value] = world.founded.values();
  return world.processes
    .filter(({ identity }) => value?.voters.some(({ boot }) => boot === identity.boot))
    .map(({ slot }) => slot)
    .sort();
};

const reportsOf = (process: Process, code: string): string[] =>
  process.reports.filter((report) => report.code === code).map(({ message }) => message);

describe("a node without seeds", () => {
  it("founds alone, at once, without asking anybody", () => {
    const world = new FoundingWorld(1, { seed: 1 });
    const process = world.start(0, { seeds: [] });
    expect(process.founded?.voters).toEqual([process.identity]);
    expect(process.founded).toMatchObject({
      founder: process.identity.nodeId,
      shardCount: 16,
      replicationFactor: 3,
    });
    expect(process.questions).toEqual([]);
    expect(process.founding.done).toBe(true);
    expect(process.founding.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it("founds nothing when it may only join, and says so once", () => {
    const world = new FoundingWorld(1, { seed: 1 });
    const process = world.start(0, { seeds: [], bootstrap: "never" });
    world.runFor(60_000);
    world.drive(process);
    world.drive(process);
    expect(process.founding.done).toBe(false);
    expect(reportsOf(process, "waiting")).toHaveLength(1);
  });
});

describe("a node told to found by force", () => {
  it("founds alone although seeds are given", () => {
    const world = new FoundingWorld(3, { seed: 1 });
    expect(world.start(0, { bootstrap: "force" }).founded?.voters).toHaveLength(1);
  });
});

describe("a node that its seeds do not name", () => {
  it("never founds, and joins once a seed has a cluster", () => {
    const world = new FoundingWorld(2, { seed: 2 });
    const process = world.start(1, { seeds: [addressOf(0)] });
    world.runFor(600_000);
    expect(process.founded).toBeNull();
    expect(reportsOf(process, "waiting")).toHaveLength(1);
    const founder = world.start(0, { seeds: [] });
    expect(world.runUntil(settled(world, 2), 4_000)).toBe(true);
    expect(process.clusterId).toBe(founder.clusterId);
    expect(process.founded).toBeNull();
  });

  it("never founds with others like it", () => {
    const world = new FoundingWorld(4, { seed: 3 });
    for (const slot of [1, 2, 3]) world.start(slot, { seeds: [addressOf(0)] });
    world.runFor(600_000);
    expect(world.founded.size).toBe(0);
  });
});

describe("a single seed that names this node", () => {
  it("founds alone as soon as it has met itself", () => {
    const world = new FoundingWorld(1, { seed: 4 });
    const process = world.start(0);
    expect(world.runUntil(settled(world, 1), 20)).toBe(true);
    expect(process.questions).toEqual(["probe"]);
    expect(process.founded?.voters).toEqual([process.identity]);
  });
});

describe("three seeds", () => {
  it("started at once found one cluster of three voters in well under a second", () => {
    for (let seed = 0; seed < 200; seed++) {
      const world = new FoundingWorld(3, { seed });
      for (let slot = 0; slot < 3; slot++) world.start(slot);
      expect(world.runUntil(settled(world, 3), 700)).toBe(true);
      expect(world.founded.size).toBe(1);
      expect(voterSlots(world)).toEqual([0, 1, 2]);
      expect(world.processes.every(({ founded }) => founded !== null)).toBe(true);
    }
  });

  it("found soon after the last one is up, however long the others waited", () => {
    for (let seed = 0; seed < 50; seed++) {
      const world = new FoundingWorld(3, { seed });
      world.start(0);
      world.runFor(120_000);
      expect(world.founded.size).toBe(0);
      world.after(100, () => world.start(2));
      world.start(1);
      expect(world.runUntil(settled(world, 3), 1_500)).toBe(true);
      expect(world.founded.size).toBe(1);
    }
  });

  it("found with two when the third stays silent for the founding delay, and not before", () => {
    const world = new FoundingWorld(3, { seed: 5 });
    world.start(0);
    world.start(1);
    world.runFor(2_999);
    expect(world.founded.size).toBe(0);
    expect(world.runUntil(settled(world, 2), 1_500)).toBe(true);
    const late = world.start(2);
    expect(world.runUntil(settled(world, 3), 500)).toBe(true);
    expect(late.founded).toBeNull();
    expect(world.clusterIds.size).toBe(1);
  });

  it("do not wait for the founding delay when all of them answer", () => {
    const world = new FoundingWorld(3, { seed: 5 });
    for (let slot = 0; slot < 3; slot++) world.start(slot, { foundingDelayMs: 600_000 });
    expect(world.runUntil(settled(world, 3), 700)).toBe(true);
  });

  it("wait for ever when only one of them runs, and say so once", () => {
    const world = new FoundingWorld(3, { seed: 6 });
    const process = world.start(0);
    world.runFor(3_600_000);
    expect(process.founded).toBeNull();
    expect(reportsOf(process, "waiting")).toHaveLength(1);
    expect(reportsOf(process, "waiting")[0]).toContain("1 of 3 seeds");
    expect(reportsOf(process, "seed-unreachable")).toHaveLength(2);
    expect(process.questions.length).toBeLessThan((3 * 3_600_000) / 1_400);
  });

  it("found at once when the last one is up, although calls to it are still waiting for their timeouts", () => {
    for (let seed = 0; seed < 30; seed++) {
      const world = new FoundingWorld(3, { seed });
      world.cut([0, 1], [2]);
      for (const slot of [0, 1]) world.start(slot, { foundingDelayMs: 60_000 });
      world.runFor(2_500);
      world.heal();
      world.start(2, { foundingDelayMs: 60_000 });
      expect(world.runUntil(settled(world, 3), 100), `seed ${seed}`).toBe(true);
    }
  });

  it("say when a seed that was away answers", () => {
    const world = new FoundingWorld(3, { seed: 6 });
    const process = world.start(0, { bootstrapExpect: 3 });
    world.runFor(5_000);
    world.start(1, { bootstrapExpect: 3 });
    world.runFor(5_000);
    expect(reportsOf(process, "seed-reachable")).toEqual(["seed 10.1.0.2:7946 answers"]);
  });

  it("do not found below the number that is expected", () => {
    const world = new FoundingWorld(3, { seed: 7 });
    for (const slot of [0, 1]) world.start(slot, { bootstrapExpect: 3 });
    world.runFor(600_000);
    expect(world.founded.size).toBe(0);
    world.start(2, { bootstrapExpect: 3 });
    expect(world.runUntil(settled(world, 3), 1_500)).toBe(true);
    expect(voterSlots(world)).toEqual([0, 1, 2]);
  });

  it("do not count one that may only join", () => {
    const world = new FoundingWorld(3, { seed: 8 });
    world.start(0);
    const joiner = world.start(1, { bootstrap: "never" });
    world.runFor(600_000);
    expect(world.founded.size).toBe(0);
    world.start(2);
    expect(world.runUntil(settled(world, 3), 5_000)).toBe(true);
    expect(voterSlots(world)).toEqual([0, 2]);
    expect(joiner.founded).toBeNull();
  });
});

describe("a seed that belongs to a cluster", () => {
  it("is joined by all others, who never found", () => {
    const world = new FoundingWorld(3, { seed: 9 });
    const old = world.start(0, { bootstrap: "force" });
    world.start(1);
    world.start(2);
    expect(world.runUntil(settled(world, 3), 2_000)).toBe(true);
    expect(world.clusterIds).toEqual(new Set([old.clusterId]));
  });

  it("keeps a majority from founding even when it admits nobody and falls silent", () => {
    const world = new FoundingWorld(3, { seed: 10 });
    for (let slot = 0; slot < 3; slot++) world.start(slot);
    world.runUntil(settled(world, 3), 2_000);
    for (const slot of [1, 2]) world.crash(slot);
    for (const slot of [1, 2]) world.start(slot);
    world.runFor(5_000);
    world.cut([0], [1, 2]);
    world.runFor(600_000);
    expect(world.founded.size).toBe(1);
    expect(world.clusterIds.size).toBe(1);
  });

  it("no longer counts once its machine comes back without it", () => {
    const world = new FoundingWorld(3, { seed: 11 });
    for (let slot = 0; slot < 3; slot++) world.start(slot);
    world.runUntil(settled(world, 3), 2_000);
    for (const slot of [1, 2]) world.crash(slot);
    for (const slot of [1, 2]) world.start(slot);
    world.runFor(5_000);
    world.crash(0);
    world.start(0);
    expect(world.runUntil(settled(world, 3), 10_000)).toBe(true);
    expect(world.clusterIds.size).toBe(1);
    expect(world.founded.size).toBe(2);
  });
});

describe("a proposer that dies half-way", () => {
  it("is finished by the others with the value it had accepted", () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = new FoundingWorld(3, { seed });
      let proposed: FoundingValue | null = null;
      let sent = 0;
      world.onAction = (process, action) => {
        if (action.type !== "call" || action.message.type !== "accept" || proposed !== null) return true;
        if (++sent === 1) return true;
        proposed = action.message.value;
        process.alive = false;
        return false;
      };
      for (let slot = 0; slot < 3; slot++) world.start(slot);
      expect(world.runUntil(settled(world, 2), 10_000)).toBe(true);
      expect([...world.founded.values()]).toEqual([proposed]);
    }
  });

  it("is answered with the decided value when it comes late to the news", () => {
    const world = new FoundingWorld(3, { seed: 12 });
    world.onAction = (_, action) => action.type !== "call" || action.message.type !== "decided";
    for (let slot = 0; slot < 3; slot++) world.start(slot);
    expect(world.runUntil(settled(world, 3), 1_500)).toBe(true);
    expect(world.processes.every(({ founded }) => founded !== null)).toBe(true);
  });

  it("leaves a value that is not finished when most of its voters restarted: the rest waits and says so", () => {
    const world = new FoundingWorld(3, { seed: 13 });
    let accepted = 0;
    world.onAction = (process, action) => {
      if (action.type !== "call" || action.message.type !== "accept") return true;
      process.alive = false;
      accepted++;
      return accepted === 1;
    };
    for (let slot = 0; slot < 3; slot++) world.start(slot);
    world.runUntil(() => accepted > 0, 2_000);
    world.runFor(50);
    world.onAction = () => true;
    const holder = world.living.find(({ founding }) => founding.acceptorState.accepted !== null);
    expect(holder).toBeDefined();
    for (const { slot } of world.processes.filter((process) => process !== holder)) {
      if (world.living.some((process) => process.slot === slot)) world.crash(slot);
      world.start(slot);
    }
    world.runFor(30_000);
    expect(world.founded.size).toBe(0);
    const told = world.living.flatMap((process) => reportsOf(process, "waiting"));
    expect(told.some((message) => message.includes("has restarted since"))).toBe(true);
    const slot = holder?.slot ?? 0;
    world.crash(slot);
    world.start(slot);
    expect(world.runUntil(settled(world, 3), 15_000)).toBe(true);
    expect(world.clusterIds.size).toBe(1);
  });
});

describe("a ballot", () => {
  it("is bound to the value accepted in the highest ballot, in whatever order the promises come", () => {
    const other = (digit: string): FoundingValue => ({
      clusterId: clusterId(digit.repeat(16)),
      founder: identityOf(9).nodeId,
      voters: [identityOf(9)],
      shardCount: 1,
      replicationFactor: 1,
    });
    for (const order of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
    ]) {
      const ballot = new FoundingBallot({ round: 9, nodeId: identityOf(1).nodeId }, 0, 1_000);
      ballot.promised(identityOf(4), null);
      for (const round of order) {
        const accepted = { ballot: { round, nodeId: identityOf(9).nodeId }, value: other(`${round}`) };
        ballot.promised(identityOf(round), accepted);
      }
      expect(ballot.boundValue).toEqual(other("3"));
    }
  });

  it("that is lost to a higher one is followed by a pause and a ballot above that", () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = new FoundingWorld(3, { seed });
      const high = { round: 1_000, nodeId: identityOf(1).nodeId };
      const acceptor = { promised: high, accepted: null, decided: null };
      const prepared: { readonly atMs: number; readonly round: number }[] = [];
      world.onAction = (process, action) => {
        if (process.slot > 0 || action.type !== "call" || action.message.type !== "prepare") return true;
        prepared.push({ atMs: world.nowMs, round: action.message.ballot.round });
        return true;
      };
      world.start(0);
      for (const slot of [1, 2]) world.start(slot, { acceptor, bootstrapExpect: 99 });
      expect(world.runUntil(settled(world, 3), 5_000)).toBe(true);
      const first = prepared.find(({ round }) => round === 1);
      const second = prepared.find(({ round }) => round > 1);
      expect(second?.round).toBe(1_001);
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(200);
    }
  });
});

describe("seed lists", () => {
  it("that differ between founders are refused with both lists, once per change, until they agree", () => {
    const world = new FoundingWorld(3, { seed: 14 });
    world.start(0);
    const first = world.at(0);
    world.start(1);
    world.start(2, { seeds: [addressOf(1), addressOf(2)] });
    world.runFor(60_000);
    expect(world.founded.size).toBe(0);
    const [message, ...more] = reportsOf(first, "seed-mismatch");
    expect(more).toEqual([]);
    expect(message).toContain("CREMA_SEED_MISMATCH");
    expect(message).toContain("[10.1.0.1:7946, 10.1.0.2:7946, 10.1.0.3:7946]");
    expect(message).toContain("[10.1.0.2:7946, 10.1.0.3:7946]");
    world.crash(2);
    world.start(2);
    expect(world.runUntil(settled(world, 3), 3_000)).toBe(true);
    expect(world.clusterIds.size).toBe(1);
  });

  it("written in another order and case are the same", () => {
    const world = new FoundingWorld(2, { seed: 15 });
    world.start(0, { seeds: [addressOf(0), addressOf(1)] });
    world.start(1, { seeds: [addressOf(1), addressOf(0), addressOf(1)] });
    expect(world.runUntil(settled(world, 2), 700)).toBe(true);
    expect(voterSlots(world)).toEqual([0, 1]);
  });

  it("of two names for one node found nothing: one process is no majority of two", () => {
    const world = new FoundingWorld(1, { seed: 16 });
    const alias = { host: "10.9.9.9", port: 7946 };
    const process = world.start(0, { seeds: [addressOf(0), alias] });
    process.founding.seedsResolved(alias, [addressOf(0)], world.nowMs);
    world.runFor(60_000);
    expect(process.founded).toBeNull();
  });
});

describe("a name among the seeds", () => {
  const name = { host: "cache.example", port: 7946 };

  it("keeps this node from founding until it was looked up, even when it leads to itself", () => {
    const world = new FoundingWorld(3, { seed: 17 });
    const self = { host: "node-1.example", port: 7946 };
    const process = world.start(0, { seeds: [self] });
    world.runFor(10_000);
    expect(process.questions).toContain("probe");
    expect(process.founded).toBeNull();
    process.founding.seedsResolved(self, [addressOf(0)], world.nowMs);
    world.drive(process);
    expect(world.runUntil(settled(world, 1), 1_500)).toBe(true);
  });

  it("with three addresses counts three, so that one of them alone founds nothing", () => {
    const world = new FoundingWorld(3, { seed: 18 });
    const resolve = (process: Process): void =>
      process.founding.seedsResolved(name, world.seeds, world.nowMs);
    resolve(world.start(0, { seeds: [name] }));
    world.runFor(600_000);
    expect(world.founded.size).toBe(0);
    resolve(world.start(1, { seeds: [name] }));
    resolve(world.start(2, { seeds: [name] }));
    for (const process of world.living) world.drive(process);
    expect(world.runUntil(settled(world, 3), 1_500)).toBe(true);
    expect(voterSlots(world)).toEqual([0, 1, 2]);
  });

  it("with an address of each family counts one", () => {
    const world = new FoundingWorld(1, { seed: 19 });
    const process = world.start(0, { seeds: [name] });
    process.founding.seedsResolved(name, [{ host: "::1", port: 7946 }, addressOf(0)], world.nowMs);
    world.drive(process);
    expect(world.runUntil(settled(world, 1), 100)).toBe(true);
  });
});

describe("the acceptor", () => {
  const options = {
    bootstrap: "auto",
    bootstrapExpect: 0,
    foundingDelayMs: 3_000,
    shardCount: 4,
    replicationFactor: 3,
  } as const;
  const seeds = [1, 2, 3].map((number) => identityOf(number).address);
  const texts = seeds.map(({ host, port }) => `${host}:${port}`);
  const sender = (number: number) => ({
    nodeId: identityOf(number).nodeId,
    boot: identityOf(number).boot,
    seeds: texts,
  });
  const value: FoundingValue = {
    clusterId: clusterId("c1c1c1c1c1c1c1c1"),
    founder: identityOf(2).nodeId,
    voters: [identityOf(2), identityOf(1)],
    shardCount: 4,
    replicationFactor: 3,
  };
  const ballot = (round: number) => ({ round, nodeId: identityOf(2).nodeId });
  const start = { self: identityOf(1), seeds, options, random: new Random(1, 1), nowMs: 0 };

  it("keeps its promise, also in a successor made from its state", () => {
    const states: unknown[] = [];
    const first = new Founding({ ...start, onPersist: (state) => states.push(state) });
    const ask = (founding: Founding, type: "prepare" | "accept", round: number): FoundingAnswer =>
      founding.handle(
        type === "prepare"
          ? { type, from: sender(2), ballot: ballot(round) }
          : { type, from: sender(2), ballot: ballot(round), value },
        null,
        0,
      );
    expect(ask(first, "prepare", 5)).toMatchObject({ type: "promised", accepted: null });
    expect(ask(first, "accept", 4)).toMatchObject({ type: "refused", reason: "ballot", promised: ballot(5) });
    expect(ask(first, "accept", 5)).toMatchObject({ type: "accepted" });
    expect(states.at(-1)).toEqual(first.acceptorState);
    const second = new Founding({ ...start, acceptor: first.acceptorState });
    expect(ask(second, "prepare", 4)).toMatchObject({ type: "refused", reason: "ballot" });
    expect(ask(second, "prepare", 6)).toMatchObject({
      type: "promised",
      accepted: { ballot: ballot(5), value },
    });
  });

  it("promises nothing to another seed list", () => {
    const founding = new Founding(start);
    const from = { ...sender(2), seeds: texts.slice(1) };
    const answer = founding.handle({ type: "prepare", from, ballot: ballot(1) }, null, 0);
    expect(answer).toMatchObject({ type: "refused", reason: "seeds" });
    expect(founding.acceptorState.promised).toBeNull();
  });

  it("answers everything with the cluster id once this node belongs to a cluster", () => {
    const founding = new Founding(start);
    for (const type of ["probe", "prepare", "accept"] as const) {
      const message = { type, from: sender(2), ballot: ballot(9), value };
      expect(founding.handle(message, value.clusterId, 0)).toMatchObject({ type: "cluster", member: true });
    }
    expect(founding.acceptorState.promised).toBeNull();
    expect(founding.done).toBe(true);
  });

  it("founds on the news of a value that names this process, and tells it to whoever asks", () => {
    const founding = new Founding(start);
    founding.handle({ type: "decided", from: sender(2), value }, null, 0);
    expect(founding.takeActions()).toContainEqual({ type: "found", value });
    const answer = founding.handle({ type: "probe", from: sender(3) }, value.clusterId, 0);
    expect(answer).toMatchObject({ type: "cluster", value });
  });

  it("founds on the news of a value that names an earlier life of this node: who kept its id kept its promises", () => {
    const self = { ...identityOf(1), boot: bootNonce("eeeeeeeeeeeeeeee") };
    const founding = new Founding({ ...start, self });
    founding.handle({ type: "decided", from: sender(2), value }, null, 0);
    const actions = founding.takeActions();
    expect(actions).toContainEqual({ type: "found", value });
    expect(actions.some(({ type }) => type === "join")).toBe(false);
  });

  it("counts a node once that accepted in one life and again in the next", () => {
    const founding = new FoundingBallot(ballot(1), 0, 1_500);
    founding.promised(identityOf(2), null);
    founding.promised({ ...identityOf(2), boot: bootNonce("eeeeeeeeeeeeeeee") }, null);
    expect(founding.promiseCount).toBe(1);
    founding.propose(value, 0, 1_500);
    founding.accepted(identityOf(2));
    founding.accepted({ ...identityOf(2), boot: bootNonce("eeeeeeeeeeeeeeee") });
    expect(founding.acceptCount).toBe(1);
  });

  it("settled in an earlier life, founds nothing and asks nobody", () => {
    for (const bootstrap of ["auto", "force"] as const) {
      const founding = new Founding({
        ...start,
        seeds: [],
        options: { ...start.options, bootstrap },
        settled: true,
      });
      founding.advance(10_000);
      expect(founding.takeActions()).toEqual([]);
      expect(founding.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it("does not found alone when it has accepted what may be decided elsewhere", () => {
    const acceptor = { promised: ballot(1), accepted: { ballot: ballot(1), value }, decided: null };
    const founding = new Founding({ ...start, seeds: [], acceptor });
    founding.advance(10_000);
    expect(founding.takeActions().some(({ type }) => type === "found")).toBe(false);
  });

  it("alone, founds what an earlier life had decided and not begun", () => {
    const acceptor = { promised: null, accepted: null, decided: value };
    const founding = new Founding({ ...start, seeds: [], acceptor });
    expect(founding.takeActions()).toContainEqual({ type: "found", value });
  });

  it("promises again when the announced cluster did not admit it and no seed confirms it", () => {
    const founding = new Founding({ ...start, self: identityOf(3) });
    founding.handle({ type: "decided", from: sender(2), value }, null, 0);
    founding.joinFailed("nobody there", 10);
    const answer = founding.handle({ type: "prepare", from: sender(1), ballot: ballot(3) }, null, 20);
    expect(answer).toMatchObject({ type: "promised" });
  });

  /** Asks a member whom gossip has met; it answers that it belongs to a cluster, and was given `list`. */
  const meetMember = (founding: Founding, list: readonly string[]): void => {
    const { address } = identityOf(7);
    founding.membersMet([address], 0);
    founding.advance(0);
    const call = founding.takeActions().find((action) => action.type === "call" && action.to === address);
    if (call?.type !== "call") throw new Error("the member was not asked");
    const from = { identity: identityOf(7), seeds: list, mayFound: true };
    const answer = { type: "cluster", from, clusterId: value.clusterId, member: true, value: null } as const;
    founding.onAnswer(call.id, answer, false, 1);
  };

  it("promises nothing and joins when gossip has met a member with the same seed list, though no seed knows it", () => {
    const founding = new Founding(start);
    meetMember(founding, texts);
    expect(founding.takeActions()).toContainEqual(
      expect.objectContaining({ type: "join", address: identityOf(7).address, clusterId: value.clusterId }),
    );
    const answer = founding.handle({ type: "prepare", from: sender(2), ballot: ballot(1) }, null, 2);
    expect(answer).toMatchObject({ type: "refused", reason: "heard" });
    founding.joinFailed("it is busy", 3);
    // It may be cut off, and its cluster may live.
    founding.membersMet([], 4);
    const later = founding.handle({ type: "prepare", from: sender(2), ballot: ballot(2) }, null, 5);
    expect(later).toMatchObject({ type: "refused", reason: "heard" });
  });

  it("neither joins nor heeds a met member of a cluster with other seeds: addresses are used again", () => {
    const founding = new Founding(start);
    meetMember(founding, texts.slice(1));
    expect(founding.takeActions().some(({ type }) => type === "join")).toBe(false);
    const answer = founding.handle({ type: "prepare", from: sender(2), ballot: ballot(1) }, null, 2);
    expect(answer).toMatchObject({ type: "promised" });
  });

  it("promises nothing while it knows of a cluster that has not admitted it", () => {
    const founding = new Founding({ ...start, self: identityOf(3) });
    founding.handle({ type: "decided", from: sender(2), value }, null, 0);
    const answer = founding.handle({ type: "prepare", from: sender(1), ballot: ballot(3) }, null, 0);
    expect(answer).toMatchObject({ type: "refused", reason: "heard" });
  });
});
