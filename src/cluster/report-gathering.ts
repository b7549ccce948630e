/**
 * The state of all groups as the whole cluster sees it now: every living member is asked what it holds, and the report
 * that knows most of each group is kept.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import { decodeReport, encodeReport, type GroupReport, reportOf } from "./group-report.ts";

const METHOD_REPORTS = "cluster.reports";
/** Who has not answered by then is left out. */
const CALL_TIMEOUT_MS = 800;

export class ReportGathering {
  readonly #groups: MultiRaft;
  readonly #calls: Calls;
  readonly #mapVersion: () => number;

  constructor(groups: MultiRaft, calls: Calls, mapVersion: () => number) {
    this.#groups = groups;
    this.#calls = calls;
    this.#mapVersion = mapVersion;
    calls.handle(METHOD_REPORTS, () =>
      [...groups.groups()].map((group) => encodeReport(reportOf(group, mapVersion()))),
    );
  }

  async gather(others: readonly NodeId[]): Promise<Map<GroupId, GroupReport>> {
    const best = new Map<GroupId, GroupReport>();
    const take = (report: GroupReport): void => {
      const known = best.get(report.group);
      if (known === undefined || isBetter(report, known)) best.set(report.group, report);
    };
    for (const group of this.#groups.groups()) take(reportOf(group, this.#mapVersion()));
    await Promise.all(
      others.map((node) =>
        this.#calls.call(node, METHOD_REPORTS, null, { timeoutMs: CALL_TIMEOUT_MS }).then(
          (value) => {
            if (Array.isArray(value)) for (const each of value) take(decodeReport(each));
          },
          () => {
            // Left out: the answer says what could be found out in time.
          },
        ),
      ),
    );
    return best;
  }
}

/** Leaders before followers, then higher terms, then further logs. */
function isBetter(one: GroupReport, other: GroupReport): boolean {
  if (one.isLeader !== other.isLeader) return one.isLeader;
  if (one.term !== other.term) return one.term > other.term;
  return one.commitIndex > other.commitIndex;
}
