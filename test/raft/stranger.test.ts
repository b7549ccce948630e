import { expect, test } from "vitest";
import { InvariantError } from "../../src/base/assert.ts";
import { logIndex, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { bytesOf, Cluster, nodeOf } from "./cluster.ts";
import { append, appended, heartbeat, heartbeatAnswer, preVote, preVoted, vote, voted } from "./messages.ts";

/** Any message that the codec lets through, from a member, a stranger or a wrong term. */
function anyMessage(random: Random): RaftMessage {
  const path = { from: random.nextBetween(2, 5), to: 1, term: random.nextBelow(6) };
  const index = random.nextBelow(12);
  const lower = random.nextBelow(path.term + 1);
  switch (random.nextBelow(11)) {
    case 0:
      return preVote(path, [index, lower]);
    case 1:
      return preVoted(path, random.nextBelow(2) === 0);
    case 2:
      return vote(path, [index, lower], random.nextBelow(4) === 0);
    case 3:
      return voted(path, random.nextBelow(2) === 0);
    case 4:
    case 5: {
      const terms: number[] = [];
      let reached = lower;
      for (let count = random.nextBelow(4); count > 0; count--) {
        reached = random.nextBetween(reached, path.term);
        terms.push(reached);
      }
      return append(path, [index, lower], terms, random.nextBelow(14));
    }
    case 6:
      return appended(path, index, random.nextBelow(4));
    case 7: {
      const hint = random.nextBelow(14);
      const refused = { rejected: true, hintIndex: logIndex(hint), hintTerm: term(random.nextBelow(9)) };
      return { ...appended(path, index, random.nextBelow(4)), ...refused };
    }
    case 8:
      return heartbeat(path, random.nextBelow(14), random.nextBelow(9), random.nextBelow(3) === 0);
    case 9:
      return heartbeatAnswer(path, random.nextBelow(9));
    default:
      if (random.nextBelow(2) === 0)
        return { type: "timeout-now", from: nodeOf(path.from), to: nodeOf(1), term: term(path.term) };
      return {
        type: "install-snapshot",
        from: nodeOf(path.from),
        to: nodeOf(1),
        term: term(path.term),
        snapshot: {
          index: logIndex(index),
          term: term(lower),
          configuration: configurationOf([1, 2, 3].map(nodeOf)),
        },
      };
  }
}

test("no well-formed message makes a replica throw, unless it contradicts what is committed", () => {
  let contradictions = 0;
  for (let seed = 1; seed <= 1_500; seed++) {
    const random = new Random(seed, 5);
    const host = Cluster.of(3, { seed, raft: { quiesceAfterHeartbeats: 1, electionTimeoutTicks: 3 } }).host(
      1,
    );
    try {
      for (let step = 0; step < 60; step++) {
        const message = anyMessage(random);
        host.receive({ message, state: message.type === "install-snapshot" ? [] : null });
        if (random.nextBelow(3) === 0) host.raft.tick();
        if (random.nextBelow(4) === 0) host.raft.propose([bytesOf("x")]);
        if (random.nextBelow(4) === 0) host.raft.readIndex(step);
        if (random.nextBelow(2) === 0) host.process();
      }
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(InvariantError);
      expect(String(error), `seed ${seed}`).toMatch(/what is committed/);
      contradictions++;
    }
  }
  expect(contradictions, "most histories are not cut short").toBeLessThan(1_000);
});
