/**
 * `crema sim run`: what can be typed, how it is refused, and what it does with the reports it gets. Runs are made up
 * here, except in the last test.
 */
import { execFile } from "node:child_process";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ClusterHttp } from "../../cli/operator/cluster-http.ts";
import type { CommandContext } from "../../cli/operator/command.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { runCommandWith } from "../../cli/sim/run-command.ts";
import { parseFaults, type RunPlan, readRunFlags } from "../../cli/sim/run-flags.ts";
import { PoolClosed, type SeedPool } from "../../cli/sim/seed-pool.ts";
import { PLAIN } from "../../cli/terminal/colours.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { FAULT_KINDS } from "../../src/sim/fault-kind.ts";
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { exampleReport } from "./example-report.ts";

async function plan(line: string, cores = 4): Promise<RunPlan> {
  const { given } = await readCommandLine(["sim", "run", ...line.split(" ").filter((word) => word !== "")]);
  return readRunFlags(given.flags, cores);
}

class FakePool implements SeedPool {
  readonly asked: RunOptions[] = [];
  closed = false;
  readonly #answer: (options: RunOptions) => RunReport | null;

  /** null: a run that never ends. */
  constructor(answer: (options: RunOptions) => RunReport | null) {
    this.#answer = answer;
  }

  async run(options: RunOptions, onLines?: Parameters<SeedPool["run"]>[1]): Promise<RunReport> {
    this.asked.push(options);
    onLines?.([{ atMs: 12.34, who: "m1", text: "starts" }]);
    const report = this.#answer(options);
    if (report === null) {
      process.emit("SIGINT");
      throw new PoolClosed();
    }
    return report;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

async function run(
  line: string,
  pool: FakePool,
): Promise<{ readonly code: number; readonly output: string }> {
  const { given } = await readCommandLine(["sim", "run", ...line.split(" ")]);
  let output = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  const context: CommandContext = {
    cluster: new ClusterHttp("127.0.0.1:1"),
    colours: PLAIN,
    stdout: stdout as never,
    stdin: process.stdin,
  };
  const code = await runCommandWith(() => pool).run(given, context);
  expect(pool.closed).toBe(true);
  return { code, output };
}

const breaksBelow3Nodes = (options: RunOptions): RunReport =>
  exampleReport(options, options.nodes >= 3 ? { checker: "log-matching" } : null);

describe("the flags of crema sim run", () => {
  it("have defaults, among them a first seed by chance", async () => {
    const [one, other] = [await plan(""), await plan("")];
    expect(one).toMatchObject({
      seeds: 100,
      single: false,
      jobs: 4,
      trace: false,
      shrink: false,
      json: false,
    });
    expect(one.options).toEqual({
      nodes: 5,
      shards: 16,
      replicationFactor: 3,
      chaosMs: 60_000,
      clients: 6,
      faults: FAULT_KINDS,
      swarm: true,
      storage: "either",
      limits: "none",
    });
    expect(one.first).not.toBe(other.first);
  });

  it("are all obeyed", async () => {
    const line =
      "--seeds 7 --first 18446744073709551000 --nodes 3 --shards 4 --replication-factor 1 --minutes .25 " +
      "--clients 0 --faults crash,loss --no-swarm --storage disk --limits small --jobs 3 --json --shrink";
    expect(await plan(line)).toEqual({
      options: {
        nodes: 3,
        shards: 4,
        replicationFactor: 1,
        chaosMs: 15_000,
        clients: 0,
        faults: ["loss", "crash"],
        swarm: false,
        storage: "disk",
        limits: "small",
      },
      first: 18446744073709551000n,
      seeds: 7,
      single: false,
      jobs: 3,
      trace: false,
      shrink: true,
      json: true,
    });
    expect(await plan("--seed 42 --trace")).toMatchObject({
      first: 42n,
      seeds: 1,
      single: true,
      trace: true,
      jobs: 1,
    });
    expect((await plan("", 64)).jobs).toBe(8);
    expect((await plan("--seeds 2", 64)).jobs).toBe(2);
    expect(parseFaults("none")).toEqual([]);
    expect(parseFaults("all")).toEqual(FAULT_KINDS);
  });

  it.each([
    ["--seed 1 --seeds 2", "--seed runs one seed and --seeds many: give one of the two"],
    ["--seed 1 --first 2", "--first belongs to --seeds"],
    ["--trace", "--trace needs --seed"],
    ["--seed 1 --trace --json", "--trace and --json exclude each other"],
    ["--seed -1", "--seed: '-1' is not an integer 0 .. 2^64-1"],
    ["--seed 18446744073709551616", "is not an integer 0 .. 2^64-1"],
    ["--seeds 2 --first 18446744073709551615", "--first: only 1 seeds are left"],
    ["--seeds 0", "--seeds: '0' is not an integer 1 .. 1000000000"],
    ["--nodes 10", "--nodes: '10' is not an integer 1 .. 9"],
    ["--shards x", "--shards: 'x' is not an integer 1 .. 64"],
    ["--minutes 1h", "--minutes: '1h' is not a number 0 .. 1440"],
    ["--minutes 1441", "--minutes: '1441' is not a number"],
    ["--limits tight", "--limits: 'tight' is not none or small"],
    ["--storage tape", "--storage: 'tape' is not memory, disk or either"],
    ["--faults partiton", "--faults: unknown fault 'partiton'; did you mean partition?"],
    ["--faults earthquake,loss", "unknown fault 'earthquake'; there are loss, duplication"],
    ["--jobs 0", "--jobs: '0' is not an integer"],
    ["--seds 3", "unknown flag --seds of 'sim run'; did you mean --seeds?"],
    ["3", "unexpected argument '3' after sim run"],
  ])("are refused: %s", async (line, message) => {
    await expect(plan(line)).rejects.toThrow(UsageError);
    await expect(plan(line)).rejects.toThrow(message);
  });
});

describe("a command of two words", () => {
  it.each([
    [["sim"], "which command of sim: demo or run or scenario?"],
    [["sim", "rn"], "unknown command 'sim rn'; did you mean sim run?"],
    [["simm"], "unknown command 'simm'; did you mean sim?"],
    [["run"], "unknown command 'run'"],
  ])("is refused when it is %j", async (argv, message) => {
    await expect(readCommandLine(argv)).rejects.toThrow(UsageError);
    await expect(readCommandLine(argv)).rejects.toThrow(message);
  });
});

describe("crema sim run", () => {
  it("runs every seed once, in order, and ends with 0 when none fails", async () => {
    const pool = new FakePool((options) => exampleReport(options, null));
    const { code, output } = await run("--seeds 5 --first 40 --jobs 2", pool);
    expect(code).toBe(0);
    expect(pool.asked.map(({ seed }) => seed)).toEqual([40n, 41n, 42n, 43n, 44n]);
    expect(output).toMatch(/^crema sim run: 5 seeds, 40 \.\. 44 {2}\(again: --seeds 5 --first 40\)\n/);
    expect(output).toMatch(/\n5 seeds, no broken promise\n$/);
  });

  it("ends with 1 and a command for each failing seed", async () => {
    const pool = new FakePool((options) =>
      exampleReport(options, options.seed % 2n === 0n ? { checker: "log-matching" } : null),
    );
    const { code, output } = await run("--seeds 4 --first 1 --jobs 1", pool);
    expect(code).toBe(1);
    const verdict = output.slice(output.indexOf("4 seeds, 2 with a broken promise:"));
    expect(verdict.split("\n").map((line) => line.trim())).toEqual([
      "4 seeds, 2 with a broken promise:",
      "",
      "seed 2  log-matching: equal logs are equal",
      "npx crema sim run --seed 2 --trace",
      "",
      "seed 4  log-matching: equal logs are equal",
      "npx crema sim run --seed 4 --trace",
      "",
    ]);
  });

  it("tells the story of one seed, and the report that belongs to it", async () => {
    const { code, output } = await run("--seed 7 --trace", new FakePool(breaksBelow3Nodes));
    expect(code).toBe(1);
    expect(output).toContain("\n      12.3 ms  m1       starts\n");
    expect(output).toMatch(/\nseed {10}7\n/);
    expect(output).toMatch(/\ncode {10}(commit [0-9a-f]{40}|crema-node \d)/);
    expect(output).toMatch(/\ntrace hash {4}00c0ffee00c0ffee\n/);
    expect(output).toContain("\nlog-matching at 1234.5 ms: equal logs are equal\n\n  index 7\n");
    expect(output).toContain("the last events of the nodes concerned\n    1234.5 ms  m1: leads\n");
    expect(output).toContain("npx crema sim run --seed 7 --trace");
  });

  it("shrinks the first failure when it is asked to", async () => {
    const { code, output } = await run(
      "--seeds 3 --first 1 --jobs 1 --shrink",
      new FakePool(breaksBelow3Nodes),
    );
    expect(code).toBe(1);
    expect(output).toContain("shrinking seed 1\n");
    expect(output).toMatch(
      /npx crema sim run --seed 1 --trace --nodes 3 --shards 1 .*--faults none --no-swarm\n$/,
    );
  });

  it("is one JSON document when that is asked for", async () => {
    const { code, output } = await run(
      "--seeds 3 --first 1 --json --shrink",
      new FakePool(breaksBelow3Nodes),
    );
    expect(code).toBe(1);
    const document = JSON.parse(output);
    expect(document).toMatchObject({
      first: "1",
      seeds: 3,
      done: 3,
      failed: 3,
      complete: true,
      events: 3_000,
    });
    expect(document.faults.loss).toEqual({ times: 30, seeds: 3 });
    expect(document.reports).toHaveLength(3);
    expect(document.reports[0]).toMatchObject({
      options: { seed: "1" },
      failure: { checker: "log-matching" },
      replay: "npx crema sim run --seed 1 --trace",
    });
    expect(document.shrunk.options).toMatchObject({ seed: "1", nodes: 3, shards: 1, faults: [] });
    const single = await run("--seed 5 --json", new FakePool((options) => exampleReport(options, null)));
    expect(JSON.parse(single.output)).toMatchObject({ shrunk: null, reports: [{ options: { seed: "5" } }] });
  });

  it("sums up what there is when it is interrupted", async () => {
    const pool = new FakePool((options) => (options.seed === 3n ? null : exampleReport(options, null)));
    const { code, output } = await run("--seeds 9 --first 1 --jobs 1", pool);
    expect(code).toBe(130);
    expect(output).toMatch(/\nstopped after 2 of 9 seeds, no broken promise\nnot finished: 3\n$/);
  });

  it("runs real seeds on threads of its own, and equal ones alike", async () => {
    const program = fileURLToPath(new URL("../../dist/cli/crema.js", import.meta.url));
    const line = "sim run --seeds 2 --first 5 --minutes 0.02 --nodes 1 --shards 1 --faults loss --jobs 2";
    const document = async (argv: string) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, ...argv.split(" "), "--json"]);
      return JSON.parse(stdout);
    };
    expect(await document(line)).toMatchObject({ done: 2, failed: 0, complete: true, jobs: 2 });
    const single = line.replace("--seeds 2 --first 5", "--seed 5");
    const [one, again] = await Promise.all([document(single), document(single)]);
    expect(one.reports[0].traceHash).toMatch(/^[0-9a-f]{16}$/);
    expect(one.reports).toEqual(again.reports);
  });
});
