/**
 * What a told run consists of: sentences, happenings, tables and judgements, as data. Who tells it makes these from what
 * really happens; who shows it decides how they look. Every time is virtual.
 */

export const SECTION_TITLES = [
  "Election",
  "Replication",
  "Partition the leader",
  "Heal",
  "Safety checks",
] as const;

export type SectionTitle = (typeof SECTION_TITLES)[number];

/** One node as an all-seeing eye finds it. null: it has no copy of the data yet. */
export interface NodeState {
  readonly name: string;
  /** Whether messages reach it and leave it. */
  readonly connected: boolean;
  readonly replica: ReplicaState | null;
}

export interface ReplicaState {
  readonly role: string;
  readonly term: number;
  /** Index of the last entry of its log. */
  readonly lastIndex: number;
  readonly commit: number;
  readonly applied: number;
  /** Name of the node that it takes for the leader. */
  readonly leader: string | null;
  /** What its own copy holds under the key of the story. */
  readonly value: string | null;
}

/**
 * How a client's request ended. `old`: answered with a value that is not the latest one. `unknown`: it may or may not
 * have been applied.
 */
export type Outcome = "ok" | "old" | "refused" | "unknown";

export type StoryStep =
  | { readonly type: "section"; readonly title: SectionTitle; readonly text: string }
  /** Something was done to the fleet, or a node did something. */
  | { readonly type: "event"; readonly atMs: number; readonly text: string }
  | {
      readonly type: "answer";
      readonly atMs: number;
      readonly request: string;
      readonly answer: string;
      readonly outcome: Outcome;
    }
  | {
      readonly type: "nodes";
      readonly atMs: number;
      readonly caption: string;
      readonly nodes: readonly NodeState[];
    }
  /** A sentence that says what to make of the steps before it. */
  | { readonly type: "remark"; readonly text: string }
  | { readonly type: "check"; readonly holds: boolean; readonly claim: string; readonly evidence: string }
  | { readonly type: "verdict"; readonly atMs: number; readonly holds: boolean; readonly text: string };
