import { describe, expect, test } from "vitest";
import { groupId, type NodeId, nodeId } from "../../src/base/ids.ts";
import { PeerWatch } from "../../src/host/peer-watch.ts";

const A = nodeId("aaaaaaaaaaaaaaaa");
const B = nodeId("bbbbbbbbbbbbbbbb");
const ELECTION_TIMEOUT_TICKS = 10;
const SUSPECT_AFTER_TICKS = 15;

/** Peers that answer, or do not, at a tick of 100 ms. */
class Peers {
  readonly asked: NodeId[] = [];
  readonly suspected: { readonly node: NodeId; readonly tick: number }[] = [];
  readonly answers = new Set<NodeId>();
  readonly heardMs = new Map<NodeId, number>();
  readonly watch: PeerWatch;
  ticks = 0;

  constructor() {
    this.watch = new PeerWatch(
      ELECTION_TIMEOUT_TICKS,
      {
        lastHeardMs: (node) => this.heardMs.get(node) ?? null,
        ask: (node) => {
          this.asked.push(node);
          if (this.answers.has(node)) this.heard(node);
        },
      },
      (node) => this.suspected.push({ node, tick: this.ticks }),
    );
  }

  heard(node: NodeId): void {
    this.heardMs.set(node, this.ticks * 100 + 1);
  }

  tick(count: number): void {
    for (let done = 0; done < count; done++) {
      this.ticks++;
      this.watch.tick();
    }
  }
}

describe("a peer that groups count on", () => {
  test("is asked for a sign of life about twice in an election timeout while nothing else is heard from it", () => {
    const peers = new Peers();
    peers.answers.add(A);
    peers.watch.countOn(groupId(1), [A]);
    peers.tick(600);
    expect(peers.asked).toHaveLength(100);
    expect(peers.suspected).toEqual([]);
  });

  test("is asked once, however many groups count on it", () => {
    const peers = new Peers();
    peers.answers.add(A);
    for (let group = 1; group <= 1_024; group++) peers.watch.countOn(groupId(group), [A]);
    peers.tick(6);
    expect(peers.asked).toEqual([A]);
  });

  test("is not asked while it is heard anyway", () => {
    const peers = new Peers();
    peers.watch.countOn(groupId(1), [A]);
    for (let done = 0; done < 100; done++) {
      peers.heard(A);
      peers.tick(3);
    }
    expect(peers.asked).toEqual([]);
  });

  test("is suspected once in each silence, after one and a half election timeouts and two questions", () => {
    const peers = new Peers();
    peers.watch.countOn(groupId(1), [A]);
    peers.tick(100);
    expect(peers.suspected).toEqual([{ node: A, tick: SUSPECT_AFTER_TICKS }]);
    expect(peers.asked).toEqual([A, A]);
    peers.heard(A);
    peers.tick(100);
    expect(peers.suspected).toHaveLength(2);
  });

  test("is not suspected by a process that stood still, because time that did not run is not counted", () => {
    const peers = new Peers();
    peers.watch.countOn(groupId(1), [A, B]);
    for (const node of [A, B]) peers.heard(node);
    peers.tick(9);
    // Twenty seconds without a tick; then the tick that was due, and only then what arrived is read.
    peers.ticks += 200;
    peers.tick(1);
    for (const node of [A, B]) peers.heard(node);
    peers.tick(SUSPECT_AFTER_TICKS - 1);
    expect(peers.suspected).toEqual([]);
  });

  test("is suspected although its link is gone, or an older one is all that is left", () => {
    const peers = new Peers();
    peers.watch.countOn(groupId(1), [A]);
    peers.ticks = 50;
    peers.heard(A);
    peers.tick(1);
    peers.heardMs.set(A, 1);
    peers.tick(2);
    peers.heardMs.delete(A);
    peers.tick(SUSPECT_AFTER_TICKS - 2);
    expect(peers.suspected.map(({ node }) => node)).toEqual([A]);
  });
});

describe("a peer that no group counts on", () => {
  test("is neither asked nor suspected", () => {
    const peers = new Peers();
    peers.watch.countOn(groupId(1), [A]);
    peers.watch.countOn(groupId(2), [A, B]);
    peers.watch.countOn(groupId(2), [B]);
    peers.watch.forget(groupId(1));
    peers.tick(100);
    expect(new Set(peers.asked)).toEqual(new Set([B]));
    expect(peers.suspected.map(({ node }) => node)).toEqual([B]);
    peers.watch.forget(groupId(2));
    peers.watch.forget(groupId(2));
    peers.asked.length = 0;
    peers.tick(100);
    expect(peers.asked).toEqual([]);
  });
});
