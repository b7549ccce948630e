/**
 * A fleet whose members crash and are replaced, wave after wave, and what is noted of each: when it was first probed,
 * suspected, declared dead, and when all knew; when a newcomer was known to all. Raw moments only; the experiments
 * make distributions of them. By default one member is down at a time, so that no crash hides another.
 */
import { assert } from "../../base/assert.ts";
import { formedFleet } from "./fleet-formation.ts";
import type { FleetMember } from "./fleet-member.ts";
import type { SwimFleetOptions } from "./fleet-options.ts";
import type { SwimFleet } from "./swim-fleet.ts";

export interface ChurnOptions extends Partial<SwimFleetOptions> {
  readonly members: number;
  /** How many crashes to measure; as many joins follow. */
  readonly crashes: number;
  /** Crashes of one wave; each wave begins when all know of the last. Default 1. */
  readonly crashesAtOnce?: number;
}

/** One crash. Milliseconds of virtual time since it; NaN for what did not happen. */
export interface CrashTimes {
  /** The first ping that found nobody. */
  firstProbeMs: number;
  firstSuspicionMs: number;
  /** All who live suspect it, or know it dead. */
  suspectedByAllMs: number;
  firstDeathMs: number;
  deadForAllMs: number;
}

/** One join: until the others know the newcomer, in milliseconds since it dialled its seed. */
export interface JoinTimes {
  knownToAllMs: number;
}

export interface ChurnResult {
  readonly members: number;
  readonly options: SwimFleet["swimOptions"];
  readonly crashes: readonly CrashTimes[];
  readonly joins: readonly JoinTimes[];
  /** Members declared dead that lived: none is expected. */
  readonly falseDeaths: number;
  readonly virtualMs: number;
  readonly traceHash: string;
}

/** Something all living members are to hear. */
interface News {
  readonly about: FleetMember;
  readonly atMs: number;
  /** Who has not heard it yet; `suspected` and `known` are emptied on their own. */
  readonly unsuspecting: Set<FleetMember>;
  readonly unknowing: Set<FleetMember>;
  readonly crash: CrashTimes | null;
  readonly join: JoinTimes | null;
}

/** Crashes of a wave are spread over so many periods, which also lets old news die down before. */
const SPREAD_PERIODS = 5;
/** Past this something is wrong: suspicions last 6 times 12 s at most among 1,000. */
const WAVE_LIMIT_MS = 300_000;

/** Forms a fleet, lets it settle, and takes it through as many waves as the crashes need. */
export function runChurn(options: ChurnOptions): ChurnResult {
  const { members, crashes, crashesAtOnce = 1, ...fleetOptions } = options;
  const fleet = formedFleet(members, fleetOptions);
  const watch = new ChurnWatch(fleet);
  const spreadMs = SPREAD_PERIODS * fleet.swimOptions.protocolPeriodMs;
  fleet.runFor(2 * spreadMs);
  for (let left = crashes; left > 0; left -= crashesAtOnce) {
    const victims = fleet.random.shuffle(fleet.living()).slice(0, Math.min(crashesAtOnce, left));
    const { random } = fleet;
    for (const victim of victims) fleet.later(random.nextFloat() * spreadMs, () => watch.crash(victim));
    fleet.runFor(spreadMs);
    assert(
      fleet.runUntil(() => watch.open === 0, WAVE_LIMIT_MS),
      "all learn of every crash",
    );
    for (const member of fleet.living()) {
      fleet.act(member, (swim) => {
        for (const { id } of victims) swim.forget(fleet.nowMs, id);
      });
    }
    fleet.runFor(spreadMs);
    for (const _ of victims) fleet.later(random.nextFloat() * spreadMs, () => watch.join());
    fleet.runFor(spreadMs);
    assert(
      fleet.runUntil(() => watch.open === 0, WAVE_LIMIT_MS),
      "all learn of every newcomer",
    );
  }
  return {
    members,
    options: fleet.swimOptions,
    crashes: watch.crashes,
    joins: watch.joins,
    falseDeaths: watch.falseDeaths,
    virtualMs: fleet.nowMs,
    traceHash: fleet.traceHash(),
  };
}

class ChurnWatch {
  readonly crashes: CrashTimes[] = [];
  readonly joins: JoinTimes[] = [];
  falseDeaths = 0;
  readonly #fleet: SwimFleet;
  readonly #news = new Map<FleetMember, News>();

  constructor(fleet: SwimFleet) {
    this.#fleet = fleet;
    fleet.observer = {
      ping: (nowMs, _from, to) => {
        const crash = to.crashed ? this.#news.get(to)?.crash : undefined;
        if (crash && Number.isNaN(crash.firstProbeMs)) crash.firstProbeMs = this.#since(nowMs, to);
      },
      event: (nowMs, observer, event) => {
        if (!("member" in event)) return;
        const about = fleet.member(event.member.id);
        if (about === undefined) return;
        if (event.type === "member-suspected") this.#suspected(nowMs, observer, about);
        else if (event.type === "member-died") this.#died(nowMs, observer, about);
        else if (event.type === "member-joined") this.#joined(nowMs, observer, about);
      },
    };
  }

  /** News that somebody has still to hear. */
  get open(): number {
    return this.#news.size;
  }

  crash(victim: FleetMember): void {
    const fleet = this.#fleet;
    fleet.crash(victim);
    // Whoever crashes hears nothing more.
    for (const news of this.#news.values()) this.#heard(fleet.nowMs, news, victim);
    const crash: CrashTimes = {
      firstProbeMs: Number.NaN,
      firstSuspicionMs: Number.NaN,
      suspectedByAllMs: Number.NaN,
      firstDeathMs: Number.NaN,
      deadForAllMs: Number.NaN,
    };
    this.crashes.push(crash);
    this.#open(victim, fleet.living(), crash, null);
  }

  join(): void {
    const fleet = this.#fleet;
    const others = fleet.living();
    const seed = others[fleet.random.nextBelow(others.length)] as FleetMember;
    const newcomer = fleet.start();
    const join: JoinTimes = { knownToAllMs: Number.NaN };
    this.joins.push(join);
    this.#open(newcomer, others, null, join);
    fleet.act(newcomer, (swim) => swim.join(fleet.nowMs, [seed.address]));
  }

  #open(
    about: FleetMember,
    others: readonly FleetMember[],
    crash: CrashTimes | null,
    join: JoinTimes | null,
  ): void {
    this.#news.set(about, {
      about,
      atMs: this.#fleet.nowMs,
      unsuspecting: new Set(crash === null ? [] : others),
      unknowing: new Set(others),
      crash,
      join,
    });
  }

  #since(nowMs: number, about: FleetMember): number {
    return nowMs - (this.#news.get(about)?.atMs ?? Number.NaN);
  }

  #suspected(nowMs: number, observer: FleetMember, about: FleetMember): void {
    const news = this.#news.get(about);
    if (!news?.crash) return;
    if (Number.isNaN(news.crash.firstSuspicionMs)) news.crash.firstSuspicionMs = nowMs - news.atMs;
    this.#unsuspecting(nowMs, news, observer);
  }

  #died(nowMs: number, observer: FleetMember, about: FleetMember): void {
    if (!about.crashed) this.falseDeaths++;
    const news = this.#news.get(about);
    if (!news?.crash) return;
    if (Number.isNaN(news.crash.firstDeathMs)) news.crash.firstDeathMs = nowMs - news.atMs;
    this.#heard(nowMs, news, observer);
  }

  #joined(nowMs: number, observer: FleetMember, about: FleetMember): void {
    const news = this.#news.get(about);
    if (news?.join) this.#heard(nowMs, news, observer);
  }

  #unsuspecting(nowMs: number, { unsuspecting, crash, atMs }: News, observer: FleetMember): void {
    if (unsuspecting.delete(observer) && unsuspecting.size === 0 && crash)
      crash.suspectedByAllMs = nowMs - atMs;
  }

  #heard(nowMs: number, news: News, observer: FleetMember): void {
    this.#unsuspecting(nowMs, news, observer);
    if (!news.unknowing.delete(observer) || news.unknowing.size > 0) return;
    if (news.crash) news.crash.deadForAllMs = nowMs - news.atMs;
    if (news.join) news.join.knownToAllMs = nowMs - news.atMs;
    this.#news.delete(news.about);
  }
}
