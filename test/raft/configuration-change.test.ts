import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import { type Configuration, configurationOf, EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import {
  changeConfiguration,
  type MembershipChange,
  type MembershipStep,
} from "../../src/raft/configuration-change.ts";
import { nodeOf, numberOf } from "./cluster.ts";
import { parseVectors, type VectorCase } from "./vectors.ts";

const FOLDER = new URL("vectors/etcd-raft/confchange/", import.meta.url);

/** `v1 l2 r3`; `u4` changes nothing, and node 0 is nobody. */
function stepsOf(input: readonly string[]): MembershipStep[] {
  const steps: MembershipStep[] = [];
  for (const word of input.join(" ").split(/\s+/)) {
    const type = ({ v: "add-voter", l: "add-learner", r: "remove" } as const)[word[0] ?? ""];
    const number = Number(word.slice(1));
    if (type !== undefined && number !== 0) steps.push({ type, node: nodeOf(number) });
  }
  return steps;
}

function changeOf({ command, args, input }: VectorCase): MembershipChange {
  if (command === "simple") return { type: "simple", steps: stepsOf(input) };
  if (command === "leave-joint") return { type: "leave-joint" };
  return { type: "joint", autoLeave: args.autoleave === "true", steps: stepsOf(input) };
}

function draw(configuration: Configuration): string {
  const list = (nodes: readonly NodeId[]) => `(${nodes.map(numberOf).join(" ")})`;
  let text = `voters=${list(configuration.voters)}`;
  if (configuration.votersOutgoing.length > 0) text += `&&${list(configuration.votersOutgoing)}`;
  if (configuration.learners.length > 0) text += ` learners=${list(configuration.learners)}`;
  if (configuration.learnersNext.length > 0) text += ` learners_next=${list(configuration.learnersNext)}`;
  return configuration.autoLeave ? `${text} autoleave` : text;
}

describe("etcd's confchange vectors", () => {
  const files = readdirSync(FOLDER);

  test.each(files)("%s", (file) => {
    let configuration = EMPTY_CONFIGURATION;
    for (const vector of parseVectors(readFileSync(new URL(file, FOLDER), "utf8"))) {
      const where = `${file}:${vector.line}`;
      const result = changeConfiguration(configuration, changeOf(vector));
      const answer = vector.expected[0] ?? "";
      if (!answer.startsWith("voters=")) {
        expect(result.type, where).toBe("refused");
        continue;
      }
      expect(result.type === "changed" ? draw(result.configuration) : result.reason, where).toBe(answer);
      if (result.type === "changed") configuration = result.configuration;
      const learners = vector.expected
        .filter((line) => line.endsWith(" learner"))
        .map((line) => Number.parseInt(line, 10));
      expect(configuration.learners.map(numberOf), where).toEqual(learners);
    }
  });

  test("are all there", () => {
    expect(files.length).toBe(9);
  });
});

describe("every change", () => {
  const steps = fc.array(
    fc.record({
      type: fc.constantFrom("add-voter" as const, "add-learner" as const, "remove" as const),
      node: fc.integer({ min: 1, max: 6 }).map(nodeOf),
    }),
    { maxLength: 4 },
  );
  const changes: fc.Arbitrary<MembershipChange> = fc.oneof(
    fc.record({ type: fc.constant("simple" as const), steps }),
    fc.record({ type: fc.constant("joint" as const), autoLeave: fc.boolean(), steps }),
    fc.constant({ type: "leave-joint" as const }),
  );

  test("keeps the lists sorted and disjoint, leaves voters, and lets neighbouring majorities meet", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (history) => {
        let current = configurationOf([1, 2, 3].map(nodeOf));
        for (const change of history) {
          const before = structuredClone(current);
          const result = changeConfiguration(current, change);
          expect(current).toEqual(before);
          if (result.type === "refused") continue;
          const next = result.configuration;
          const { voters, votersOutgoing, learners, learnersNext } = next;
          for (const list of [voters, votersOutgoing, learners, learnersNext]) {
            expect(list).toEqual([...new Set(list)].sort());
          }
          expect(voters.length).toBeGreaterThan(0);
          for (const learner of learners) {
            expect(voters).not.toContain(learner);
            expect(votersOutgoing).not.toContain(learner);
          }
          for (const learner of learnersNext) {
            expect(votersOutgoing).toContain(learner);
            expect(voters).not.toContain(learner);
          }
          if (votersOutgoing.length > 0) {
            expect(votersOutgoing).toEqual(current.voters);
          } else if (current.votersOutgoing.length === 0) {
            const changed = voters.filter((node) => !current.voters.includes(node)).length;
            const lost = current.voters.filter((node) => !voters.includes(node)).length;
            expect(changed + lost).toBeLessThanOrEqual(1);
          } else {
            expect(voters).toEqual(current.voters);
          }
          current = next;
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is joint with automatic leave unless told otherwise", () => {
    const result = changeConfiguration(configurationOf([nodeOf(1)]), {
      type: "joint",
      steps: [{ type: "add-voter", node: nodeOf(2) }],
    });
    expect(result.type === "changed" && result.configuration.autoLeave).toBe(true);
  });
});
