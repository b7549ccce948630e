/**
 * What the leaders of all groups last said of their groups. Every node sends its own to the system group's leader when
 * something changed, and now and then for good measure; that leader plans with them.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock } from "../host/ports.ts";
import { SoonestTimer } from "../host/soonest-timer.ts";
import { decodeReport, encodeReport, type GroupReport, reportOf } from "./group-report.ts";

const METHOD_REPORT = "cluster.report";
/** Changes within this time travel together. */
const DEBOUNCE_MS = 50;
/** Everything is said again this often. */
const REPEAT_MS = 2_000;
const CALL_TIMEOUT_MS = 2_000;

export interface ReportBoardParts {
  readonly self: NodeId;
  readonly groups: MultiRaft;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly systemLeader: () => NodeId | null;
  /** Of the newest map known here. */
  readonly mapVersion: () => number;
  readonly onReport: () => void;
}

export class ReportBoard {
  readonly #parts: ReportBoardParts;
  readonly #reports = new Map<GroupId, GroupReport>();
  readonly #changed = new Set<GroupId>();
  readonly #timer: SoonestTimer;
  #lastAllMs = 0;

  constructor(parts: ReportBoardParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_REPORT, (params) => {
      if (Array.isArray(params)) for (const each of params) this.#take(decodeReport(each));
      return null;
    });
    this.#timer = new SoonestTimer(parts.clock, () => {
      this.#send();
      this.#timer.within(REPEAT_MS);
    });
    this.#timer.within(REPEAT_MS);
  }

  /** Newest report of each group, by its leader. Complete only on the system group's leader, and there only after a while. */
  get reports(): ReadonlyMap<GroupId, GroupReport> {
    return this.#reports;
  }

  /** Leadership or configuration of `group` changed here. */
  changed(group: GroupId): void {
    this.#changed.add(group);
    this.#timer.within(DEBOUNCE_MS);
  }

  /**
   * The leader of the system group needs to hear everything: it is a new one, or it has changed what is wanted and waits for
   * word from those who know.
   */
  repeatAll(): void {
    for (const group of this.#parts.groups.groups()) this.#changed.add(group.id);
    this.#timer.within(DEBOUNCE_MS);
  }

  close(): void {
    this.#timer.close();
  }

  #send(): void {
    const { groups, clock, calls, self } = this.#parts;
    const all = clock.nowMs() - this.#lastAllMs >= REPEAT_MS;
    if (all) this.#lastAllMs = clock.nowMs();
    const reports: GroupReport[] = [];
    for (const group of groups.groups()) {
      if (group.isLeader && (all || this.#changed.has(group.id)))
        reports.push(reportOf(group, this.#parts.mapVersion()));
    }
    this.#changed.clear();
    if (reports.length === 0) return;
    for (const report of reports) this.#take(report);
    const leader = this.#parts.systemLeader();
    if (leader === null || leader === self) return;
    calls.call(leader, METHOD_REPORT, reports.map(encodeReport), { timeoutMs: CALL_TIMEOUT_MS }).catch(() => {
      // Said again with the next round: a report is only ever a hint.
      for (const report of reports) this.#changed.add(report.group);
    });
  }

  #take(report: GroupReport): void {
    const known = this.#reports.get(report.group);
    if (known !== undefined && known.term > report.term) return;
    this.#reports.set(report.group, report);
    this.#parts.onReport();
  }
}
