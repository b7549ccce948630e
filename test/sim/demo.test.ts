/**
 * The told story: that it is told whole, that it is true, and that its judge can say no.
 */
import { describe, expect, it } from "vitest";
import { type StoryFacts, safetyChecks } from "../../src/sim/demo/safety-checks.ts";
import { SECTION_TITLES, type StoryStep } from "../../src/sim/demo/story.ts";
import { tellDemo } from "../../src/sim/demo/tell-demo.ts";

async function told(seed: bigint): Promise<readonly StoryStep[]> {
  const steps: StoryStep[] = [];
  for await (const step of tellDemo(seed)) steps.push(step);
  return steps;
}

function ofType<Type extends StoryStep["type"]>(
  steps: readonly StoryStep[],
  type: Type,
): readonly Extract<StoryStep, { readonly type: Type }>[] {
  return steps.filter((step): step is Extract<StoryStep, { readonly type: Type }> => step.type === type);
}

describe("the demo", () => {
  it.each([1n, 2n, 3n, 28n, 45n, 2n ** 64n - 1n])(
    "has five sections and a good end with seed %s",
    async (seed) => {
      const steps = await told(seed);
      expect(ofType(steps, "section").map(({ title }) => title)).toEqual(SECTION_TITLES);
      expect(ofType(steps, "check").map(({ holds }) => holds)).toEqual([true, true, true, true, true]);
      expect(steps.at(-1)).toMatchObject({ type: "verdict", holds: true });
      const times = steps.flatMap((step) => ("atMs" in step ? [step.atMs] : []));
      expect(times).toEqual(times.toSorted((left, right) => left - right));
    },
  );

  it("refuses a linearizable read at the leader that is cut off, and shows an old value to a local one", async () => {
    const steps = await told(3n);
    const from = steps.findIndex((step) => step.type === "section" && step.title === "Partition the leader");
    const to = steps.findIndex((step) => step.type === "section" && step.title === "Heal");
    const section = steps.slice(from, to);
    const answers = ofType(section, "answer");
    const cutOff = ofType(section, "nodes")[1]?.nodes.find(({ connected }) => !connected)?.name;
    const outcomes = new Map(
      answers.map(({ request, outcome }) => [
        request.replace(/ at m\d/, (at) => (at === ` at ${cutOff}` ? " at the cut-off one" : "")),
        outcome,
      ]),
    );
    expect(outcomes.get("linearizable read of coffee at the cut-off one")).toBe("refused");
    expect(outcomes.get("linearizable read of coffee")).toBe("ok");
    expect(outcomes.get("local read of coffee at the cut-off one")).toBe("old");
    expect(outcomes.get('write coffee = "flat white"')).toBe("ok");
    expect(answers.find(({ outcome }) => outcome === "refused")?.answer).toMatch(/^CREMA_[A-Z_]+: /);

    const [before, cut, after] = ofType(section, "nodes");
    const leaderOf = (step: typeof before): string | undefined =>
      step?.nodes.find(({ connected, replica }) => connected && replica?.role === "leader")?.name;
    const termOf = (step: typeof before): number =>
      Math.max(...(step?.nodes.map(({ replica }) => replica?.term ?? 0) ?? []));
    expect(cut?.nodes.filter(({ connected }) => !connected).map(({ name }) => name)).toEqual([
      leaderOf(before),
    ]);
    expect(leaderOf(after)).not.toBe(leaderOf(before));
    expect(termOf(after)).toBeGreaterThan(termOf(before));
  });

  it("ends with three equal nodes", async () => {
    const [last] = ofType(await told(5n), "nodes").slice(-1);
    const replicas = last?.nodes.map(({ replica }) => ({ ...replica, role: "", leader: "" }));
    expect(new Set(replicas?.map((replica) => JSON.stringify(replica))).size).toBe(1);
  });

  it("tells equal seeds alike and others differently", async () => {
    const [one, again, other] = [await told(9n), await told(9n), await told(10n)];
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
  });
});

describe("the safety checks", () => {
  const node = (name: string) => ({
    name,
    lastIndex: 3,
    applied: new Map([
      [2, "1 noop"],
      [3, "1 data 7"],
    ]),
    answers: new Map<string, string | null>([["coffee", "espresso"]]),
    digest: "d1",
  });
  const facts = (): StoryFacts => ({
    ledTerms: [
      { group: 0, term: 2, leaders: ["m1"] },
      { group: 1, term: 2, leaders: ["m2"] },
    ],
    nodes: [node("m1"), node("m2"), node("m3")],
    promises: {
      acknowledged: new Map([["coffee", "espresso"]]),
      unanswered: new Map([["coffee", ["decaf"]]]),
      writesAcknowledged: 1,
      readsAnswered: 1,
      staleReads: 0,
    },
  });
  const broken = (change: Partial<StoryFacts>): readonly string[] =>
    safetyChecks({ ...facts(), ...change })
      .filter(({ holds }) => !holds)
      .map(({ claim, evidence }) => `${claim}: ${evidence}`);
  const withThird = (change: Partial<ReturnType<typeof node>>): Partial<StoryFacts> => ({
    nodes: [node("m1"), node("m2"), { ...node("m3"), ...change }],
  });

  it("hold where nothing is wrong", () => {
    expect(broken({})).toEqual([]);
  });

  it("see two leaders of one term", () => {
    expect(broken({ ledTerms: [{ group: 1, term: 2, leaders: ["m1", "m3"] }] })).toEqual([
      "every term had one leader: term 2 of group 1 was led by m1 and m3",
    ]);
  });

  it("see logs that differ or end early", () => {
    expect(broken(withThird({ applied: new Map([[2, "1 noop"]]) }))).toEqual([
      "the logs are equal: m1 and m3 differ at 3",
    ]);
    expect(broken(withThird({ lastIndex: 4 }))).toEqual(["the logs are equal: m1 ends at 3, m3 at 4"]);
  });

  it("see a write that is lost, and forgive one that nobody promised", () => {
    expect(broken(withThird({ answers: new Map([["coffee", null]]) }))).toEqual([
      'no acknowledged write is lost: coffee should be "espresso", and m3 answers nothing',
    ]);
    expect(broken(withThird({ answers: new Map([["coffee", "decaf"]]) }))).toEqual([]);
  });

  it("see a stale read and replicas that differ", () => {
    expect(broken({ promises: { ...facts().promises, staleReads: 1 } })).toEqual([
      "no linearizable read was stale: 1 were answered, 1 with an old value",
    ]);
    expect(broken(withThird({ digest: "d2" }))).toEqual(["the replicas are equal: m1 d1, m2 d1, m3 d2"]);
  });

  it("do not hold in a world in which nothing happened", () => {
    const nothing = { ...facts().promises, acknowledged: new Map(), writesAcknowledged: 0, readsAnswered: 0 };
    expect(broken({ ledTerms: [], nodes: [], promises: nothing })).toHaveLength(5);
  });
});
