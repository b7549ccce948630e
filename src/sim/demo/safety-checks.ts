/**
 * What has to be true when the story is over, judged from plain facts, so that a test can show each check a world in
 * which it is not.
 */
import { isAmong, type Promises } from "./clients.ts";
import type { StoryStep } from "./story.ts";
import type { LedTerm } from "./witness.ts";

/** What one node came to. */
export interface NodeFacts {
  readonly name: string;
  readonly lastIndex: number;
  /** By index: a fingerprint of the entry that was applied there. */
  readonly applied: ReadonlyMap<number, string>;
  /** What a linearizable read through this node answers, by key. */
  readonly answers: ReadonlyMap<string, string | null>;
  /** Fingerprint of its copy of the data. */
  readonly digest: string;
}

export interface StoryFacts {
  readonly ledTerms: readonly LedTerm[];
  readonly nodes: readonly NodeFacts[];
  readonly promises: Promises;
}

export type Check = Extract<StoryStep, { readonly type: "check" }>;

export function safetyChecks(facts: StoryFacts): readonly Check[] {
  return [
    oneLeaderPerTerm(facts),
    equalLogs(facts),
    nothingLost(facts),
    nothingStale(facts),
    equalReplicas(facts),
  ];
}

/** @see Raft Figure 3, Election Safety */
function oneLeaderPerTerm({ ledTerms }: StoryFacts): Check {
  const split = ledTerms.find(({ leaders }) => leaders.length !== 1);
  const evidence =
    split === undefined
      ? `${ledTerms.length} terms in 2 groups: the shard's and the cluster map's`
      : `term ${split.term} of group ${split.group} was led by ${split.leaders.join(" and ")}`;
  return check(split === undefined && ledTerms.length > 0, "every term had one leader", evidence);
}

/** @see Raft Figure 3, Log Matching and State Machine Safety */
function equalLogs({ nodes }: StoryFacts): Check {
  const [first] = nodes;
  const claim = "the logs are equal";
  if (first === undefined) return check(false, claim, "there is no node");
  for (const node of nodes) {
    for (const [index, entry] of node.applied) {
      const other = nodes.find(({ applied }) => applied.get(index) !== entry);
      if (other !== undefined)
        return check(false, claim, `${node.name} and ${other.name} differ at ${index}`);
    }
    if (node.lastIndex !== first.lastIndex)
      return check(
        false,
        claim,
        `${first.name} ends at ${first.lastIndex}, ${node.name} at ${node.lastIndex}`,
      );
  }
  const evidence = `all end at index ${first.lastIndex}; the same ${first.applied.size} entries applied in order`;
  return check(first.applied.size > 0, claim, evidence);
}

function nothingLost({ nodes, promises }: StoryFacts): Check {
  const { acknowledged, unanswered, writesAcknowledged } = promises;
  const claim = "no acknowledged write is lost";
  for (const [key, value] of acknowledged) {
    for (const { name, answers } of nodes) {
      const found = answers.get(key) ?? null;
      if (found === value || isAmong(found, unanswered.get(key))) continue;
      const answer = found === null ? "nothing" : `"${found}"`;
      return check(false, claim, `${key} should be "${value}", and ${name} answers ${answer}`);
    }
  }
  const evidence = `${writesAcknowledged} writes to ${acknowledged.size} keys, read back through every node`;
  return check(writesAcknowledged > 0, claim, evidence);
}

function nothingStale({ promises }: StoryFacts): Check {
  const { readsAnswered, staleReads } = promises;
  const evidence = `${readsAnswered} were answered, ${staleReads} with an old value`;
  return check(staleReads === 0 && readsAnswered > 0, "no linearizable read was stale", evidence);
}

function equalReplicas({ nodes }: StoryFacts): Check {
  const digests = new Set(nodes.map(({ digest }) => digest));
  const evidence =
    digests.size === 1
      ? `${nodes.length} copies, fingerprint ${[...digests].join()}`
      : nodes.map(({ name, digest }) => `${name} ${digest}`).join(", ");
  return check(digests.size === 1, "the replicas are equal", evidence);
}

function check(holds: boolean, claim: string, evidence: string): Check {
  return { type: "check", holds, claim, evidence };
}
