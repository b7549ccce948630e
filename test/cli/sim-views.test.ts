/**
 * What `crema sim run` shows, to the letter.
 */
import { describe, expect, it } from "vitest";
import { counted, countText, rateText, spanText, virtualText } from "../../cli/sim/figures.ts";
import { headingLines, type Progress, progressLines, progressText } from "../../cli/sim/progress-view.ts";
import { reportLines, shrunkLines } from "../../cli/sim/report-view.ts";
import { type RunPlan, readRunFlags } from "../../cli/sim/run-flags.ts";
import { RunTally } from "../../cli/sim/run-tally.ts";
import { type Ended, summaryLines } from "../../cli/sim/summary-view.ts";
import { wrapText } from "../../cli/sim/wrap-text.ts";
import { ANSI, PLAIN } from "../../cli/terminal/colours.ts";
import { FAULT_KINDS } from "../../src/sim/fault-kind.ts";
import { DEFAULT_RUN_OPTIONS, resolveRunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { exampleReport } from "./example-report.ts";

const plan = (flags: Readonly<Record<string, string>>): RunPlan => readRunFlags(flags, 2);

function ended(given: RunPlan, reports: readonly RunReport[]): Ended {
  const tally = new RunTally();
  for (const report of reports) tally.add(report);
  const complete = tally.done === given.seeds;
  const running = new Set(complete ? [] : [99n]);
  return { plan: given, tally, running, last: reports.at(-1) ?? null, elapsedMs: 30_000, complete };
}

describe("figures", () => {
  it("are written for people", () => {
    expect([0, 999, 1_234_567].map(countText)).toEqual(["0", "999", "1,234,567"]);
    expect([counted(1, "seed"), counted(1_000, "seed")]).toEqual(["1 seed", "1,000 seeds"]);
    const spans = [0, 850, 12_300, 200_000, 18_120_000].map(spanText);
    expect(spans).toEqual(["0 ms", "850 ms", "12.3 s", "3 min 20 s", "5 h 2 min"]);
    expect([90_000, 33_876_000, 112_320_000, 4_334_400_000].map(virtualText)).toEqual([
      "1.5 virtual minutes",
      "9.41 virtual hours",
      "31.2 virtual hours",
      "1,204 virtual hours",
    ]);
    expect([950, 9_999, 350_000, 1_234_567].map(rateText)).toEqual(["950", "9,999", "350k", "1.2M"]);
  });

  it("stand in lines that fit", () => {
    expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapText("incomprehensible", 5)).toEqual(["incomprehensible"]);
  });
});

describe("progress", () => {
  const progress: Progress = {
    seeds: 1_000,
    done: 250,
    failed: 0,
    events: 36_000_000,
    virtualMs: 9_360_000,
    elapsedMs: 30_000,
  };

  it("begins with what is run, and how to run it again", () => {
    expect(headingLines(plan({ seeds: "1000", first: "7" }), PLAIN)).toEqual([
      "crema sim run: 1,000 seeds, 7 .. 1006  (again: --seeds 1000 --first 7)",
      `5 machines, 16 shards x 3, 6 clients, 1 min 0 s of faults (${FAULT_KINDS.length} kinds, some per seed), either storage`,
    ]);
    expect(headingLines(plan({ seed: "7", nodes: "1", faults: "none", storage: "disk" }), PLAIN)).toEqual([
      "crema sim run: seed 7",
      "1 machine, 16 shards x 3, 6 clients, 1 min 0 s without faults, storage disk",
    ]);
  });

  it("is a bar on a terminal", () => {
    expect(progressLines(progress, PLAIN)).toEqual([
      "",
      "██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25%  250 of 1,000 seeds, about 1 min 30 s left",
      "no failures, 1.2M events/s, 2.60 virtual hours (312x real time), after 30.0 s",
    ]);
    expect(progressLines({ ...progress, failed: 2 }, ANSI)[2]).toContain("\u001b[31m2 failed\u001b[39m");
  });

  it("is a line on a pipe", () => {
    expect(progressText({ ...progress, failed: 2 })).toBe(
      "30.0 s: 250 of 1,000 seeds, 2 FAILED, 1.2M events/s, 2.60 virtual hours (312x real time), about 1 min 30 s left",
    );
    const begun = { ...progress, done: 0, events: 0, virtualMs: 0 };
    expect(progressText(begun)).toBe("30.0 s: 0 of 1,000 seeds, no failures, the first ones are running");
  });
});

describe("the summary", () => {
  it("tells what the seeds suffered and what came of it", () => {
    const given = plan({ seeds: "2", first: "4", faults: "loss,crash,pause" });
    const reports = [4n, 5n].map((seed) => exampleReport({ ...given.options, seed }, null));
    expect(summaryLines(ended(given, reports), PLAIN)).toEqual([
      "FAULT  SEEDS  TIMES      FAULT  SEEDS  TIMES",
      "loss       2     20      pause      0      0",
      "crash      2      0",
      "",
      "simulated     3.0 virtual minutes, 6.0x real time",
      "events        2,000, 67 per second",
      "operations    40 acknowledged, 4 failed, 2 ambiguous",
      "storage       1 seed on disks, 1 in memory",
      "wall time     30.0 s on 2 threads",
      "",
      "2 seeds, no broken promise",
    ]);
  });

  it("lists failing seeds by number, whoever was first, and says what is not finished", () => {
    const given = plan({ seeds: "4", first: "4" });
    const reports = [6n, 4n].map((seed) => exampleReport({ ...given.options, seed }, {}));
    const lines = summaryLines(ended(given, reports), PLAIN);
    expect(lines.slice(lines.findIndex((line) => line.startsWith("stopped")))).toEqual([
      "stopped after 2 of 4 seeds, 2 with a broken promise:",
      "not finished: 99",
      "",
      "  seed 4  election-safety: equal logs are equal",
      "  npx crema sim run --seed 4 --trace",
      "",
      "  seed 6  election-safety: equal logs are equal",
      "  npx crema sim run --seed 6 --trace",
    ]);
  });

  it("shows twenty failures and counts the others", () => {
    const given = plan({ seeds: "150", first: "1" });
    const seeds = Array.from({ length: 150 }, (_, index) => BigInt(index + 1));
    const lines = summaryLines(
      ended(
        given,
        seeds.map((seed) => exampleReport({ ...given.options, seed }, {})),
      ),
      PLAIN,
    );
    expect(lines.filter((line) => line.includes("npx crema sim run"))).toHaveLength(20);
    expect(lines.at(-1)).toBe("and 130 more");
  });
});

describe("the report of one seed", () => {
  it("fits the terminal, and holds what a replay needs", () => {
    const options = resolveRunOptions({ seed: 9n });
    const report = { ...exampleReport(options, {}), enabled: DEFAULT_RUN_OPTIONS.faults };
    const lines = reportLines(report, "commit abc", PLAIN);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(lines).toContain("seed          9");
    expect(lines).toContain("code          commit abc");
    expect(lines).toContain("trace hash    00c0ffee00c0ffee");
  });

  it("tells what shrinking came to", () => {
    const options = resolveRunOptions({ seed: 9n });
    const before = exampleReport(options, {});
    expect(shrunkLines(before, before, PLAIN)).toEqual([
      "nothing could be left out: every smaller run passes",
      "  npx crema sim run --seed 9 --trace",
    ]);
    const after = exampleReport({ ...options, nodes: 3, faults: ["loss"], swarm: false }, {});
    expect(shrunkLines(before, after, PLAIN)).toEqual([
      "smaller, and still election-safety: equal logs are equal",
      "  3 machines, 16 shards x 3, 6 clients, 1 min 0 s of faults (1 kind), either storage",
      "  faults: loss",
      "  npx crema sim run --seed 9 --trace --nodes 3 --faults loss --no-swarm",
    ]);
  });
});
