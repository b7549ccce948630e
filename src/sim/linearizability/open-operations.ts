/**
 * Operations nobody knows the fate of. Each may be applied at any moment after it was asked, once, or never; taken one by
 * one they double the search. But most are alike: of operations with the same effect it matters how many were applied,
 * not which. Of writes that differ in their expiry alone, the one that lets the key expire earlier is the better one to
 * have left, and once their time is over they are alike as well.
 */
import { unreachable } from "../../base/assert.ts";
import { expiryOf } from "./key-model.ts";
import type { Operation } from "./operation.ts";

/** Open operations of exactly the same effect, by invocation: the first is never worse to apply than the next. */
export interface OpenRun {
  readonly operations: readonly Operation[];
  /** How runs that differ in nothing but expiry are known; they are neighbours, the earliest expiry first. */
  readonly family: string;
  readonly expiresAtMs: number;
  /** From which revision on they can have no effect any more; Infinity: never. */
  readonly deadFromRevision: number;
  /** What it would leave behind, some read saw; or it counts. Only of these can it tell that one was applied twice. */
  readonly isTelling: boolean;
}

/** Groups open operations. Reads must have been left out: an open one says nothing. `read`: values that reads saw. */
export function openRuns(
  operations: readonly Operation[],
  read: ReadonlySet<string>,
  toleranceMs: number,
): readonly OpenRun[] {
  const runs = new Map<string, OpenRun & { operations: Operation[] }>();
  const byInvocation = [...operations].sort((left, right) => left.invokedAtMs - right.invokedAtMs);
  for (const operation of byInvocation) {
    const { input, invokedAtMs } = operation;
    const family = familyOf(operation);
    const expiresAtMs = expiryOf(input, invokedAtMs, toleranceMs);
    const deadFromRevision =
      input.type === "evict"
        ? input.version + 1
        : input.type === "cas" && input.expectedVersion > 0
          ? input.expectedVersion + 1
          : Number.POSITIVE_INFINITY;
    const isTelling = input.type === "increment" || ("value" in input && read.has(input.value));
    const name = `${expiresAtMs} ${family}`;
    const run = runs.get(name);
    if (run !== undefined) run.operations.push(operation);
    else runs.set(name, { operations: [operation], family, expiresAtMs, deadFromRevision, isTelling });
  }
  return [...runs.values()].sort(inOrder);
}

/** Large increments before small ones, for few that explain a sum leave more for the next; else by family, expiry. */
function inOrder(left: OpenRun, right: OpenRun): number {
  if (left.family === right.family) return left.expiresAtMs < right.expiresAtMs ? -1 : 1;
  const difference = sizeOf(right) - sizeOf(left);
  return difference !== 0 ? difference : left.family < right.family ? -1 : 1;
}

function sizeOf({ operations: [first] }: OpenRun): number {
  return first?.input.type === "increment" ? Math.abs(first.input.by) : 0;
}

/** The runs of which an operation may be applied next: for each family the first of those expired, and all others. */
export function applicableRuns(
  runs: readonly OpenRun[],
  applied: ArrayLike<number>,
  deadlineMs: number,
): number[] {
  const found: number[] = [];
  let expired: string | null = null;
  for (const [at, run] of runs.entries()) {
    if (run.family === expired && run.expiresAtMs <= deadlineMs) continue;
    const operation = run.operations[applied[at] as number];
    if (operation === undefined || operation.invokedAtMs > deadlineMs) continue;
    if (run.expiresAtMs <= deadlineMs) expired = run.family;
    found.push(at);
  }
  return found;
}

/**
 * Whether having applied `fewer[run]` operations of each run leaves at least as good operations to apply as `more` does,
 * when the first answer still due comes at `deadlineMs` and the revision has reached `revision`. Within a family that is
 * so when, up to every expiry that is yet to come, no more have been taken.
 */
export function leavesMore(
  runs: readonly OpenRun[],
  fewer: ArrayLike<number>,
  more: ArrayLike<number>,
  deadlineMs: number,
  revision: number,
): boolean {
  let family: string | null = null;
  let spared = 0;
  for (let at = 0; at < runs.length; at++) {
    const run = runs[at] as OpenRun;
    if (spared < 0 && (run.family !== family || run.expiresAtMs > deadlineMs)) return false;
    if (run.family !== family) {
      family = run.family;
      spared = 0;
    }
    if (run.deadFromRevision > revision) spared += (more[at] as number) - (fewer[at] as number);
  }
  return spared >= 0;
}

function familyOf({ input }: Operation): string {
  switch (input.type) {
    case "get":
    case "get-versioned":
      return input.type;
    case "put":
      return `put ${input.condition} ${input.value}`;
    case "cas":
      return `cas ${input.expectedVersion} ${input.value}`;
    case "increment":
      return `increment ${input.by}`;
    case "delete":
      return "delete";
    case "expire":
      return input.ttlMs <= 0 ? "delete" : "expire";
    case "evict":
      return `evict ${input.version}`;
    default:
      return unreachable(input);
  }
}
