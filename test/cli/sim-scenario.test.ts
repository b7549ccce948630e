/**
 * `crema sim scenario`: what can be typed, how it is refused, and what it does with the reports it gets. Runs are made up
 * here; `test/sim/scenarios.test.ts` has real ones.
 */
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ClusterHttp } from "../../cli/operator/cluster-http.ts";
import type { CommandContext, OperatorCommand } from "../../cli/operator/command.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { scenarioCommand, scenarioCommandWith } from "../../cli/sim/scenario-command.ts";
import { scenarioFailed } from "../../cli/sim/scenario-pool.ts";
import { PLAIN } from "../../cli/terminal/colours.ts";
import { SCENARIOS } from "../../src/sim/scenarios/all-scenarios.ts";
import type { ScenarioOptions, ScenarioReport } from "../../src/sim/scenarios/scenario.ts";

async function typed(command: OperatorCommand, line: string) {
  const { given } = await readCommandLine(
    ["sim", "scenario", ...line.split(" ")].filter((word) => word !== ""),
  );
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
  return { code: await command.run(given, context), output };
}

/** Breaks with odd seeds when `breaks`; takes as long as the seed says. */
function made(breaks: boolean, asked: ScenarioOptions[] = []): OperatorCommand {
  return scenarioCommandWith(() => ({
    run: async (options): Promise<ScenarioReport> => {
      asked.push(options);
      const failed = scenarioFailed(options, new Error("it broke"));
      const isBroken = breaks && options.seed % 2n === 1n;
      return {
        ...failed,
        failure: isBroken ? failed.failure : null,
        measured: { "it took (ms)": Number(options.seed) },
      };
    },
    close: async () => {},
  }));
}

describe("crema sim scenario", () => {
  it("lists every scenario with its meaning", async () => {
    const { code, output } = await typed(scenarioCommand, "--list");
    expect(code).toBe(0);
    for (const { name } of SCENARIOS) expect(output).toContain(name);
  });

  it("runs so many seeds of one, and tells how what it measured is spread", async () => {
    const asked: ScenarioOptions[] = [];
    const { code, output } = await typed(made(false, asked), "voter-dies --seeds 3 --first 10");
    expect(code).toBe(0);
    expect(asked.map(({ scenario, seed }) => `${scenario} ${seed}`).sort()).toEqual(
      [10, 11, 12].map((seed) => `voter-dies ${seed}`),
    );
    expect(output).toContain("it took (ms): median 11, most 12 in 3 runs");
  });

  it("runs all of them when none is named", async () => {
    const asked: ScenarioOptions[] = [];
    await typed(made(false, asked), "--seeds 2 --first 1");
    expect(asked).toHaveLength(2 * SCENARIOS.length);
  });

  it("ends with 1 and the command that shows it again when a promise is broken", async () => {
    const { code, output } = await typed(made(true), "voter-dies --seeds 2 --first 10");
    expect(code).toBe(1);
    expect(output).toContain("1 with a broken promise");
    expect(output).toContain("npx crema sim scenario voter-dies --seed 11 --trace");
  });

  it("speaks JSON", async () => {
    const { output } = await typed(made(true), "voter-dies --seeds 2 --first 10 --json");
    const { scenarios } = JSON.parse(output);
    expect(scenarios[0]).toMatchObject({
      name: "voter-dies",
      done: 2,
      failures: [{ options: { seed: "11" } }],
    });
  });

  it.each([
    ["voter-dis", "there is no scenario 'voter-dis'; did you mean voter-dies?"],
    ["--seed 1 --seeds 2", "--seed runs one seed; --seeds and --first run many: give one or the other"],
    ["--seed 1 --trace", "--trace needs a scenario and --seed: it tells one history"],
    ["voter-dies --trace", "--trace needs a scenario and --seed: it tells one history"],
    ["voter-dies --seeds 0", "--seeds: '0' is not an integer 1 .. 1000000000"],
  ])("refuses %s", async (line, message) => {
    await expect(typed(made(false), line)).rejects.toThrow(message);
  });
});
