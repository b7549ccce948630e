/**
 * `npm run bench:scale`: our cluster alone, in memory, as one thing after the other grows: shards, nodes, values, keys. A fresh cluster
 * for each row; the median of some measurements of SET, then of linearizable GET. As keys grow, what each costs in memory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitInOrder, expectBuilt, secondsOf, understood, wholeNumber } from "./command-line.ts";
import { describeMachine } from "./machine.ts";
import { plotSvg } from "./plots/plot.ts";
import { findPrograms } from "./programs.ts";
import {
  figureOf,
  memoryTable,
  plotsOf,
  type ScaleFigure,
  SPEED_HEADING,
  speedLine,
} from "./scale/scale-report.ts";
import { scaleRow } from "./scale/scale-row.ts";
import { GROWTH, type Growing, sizeText } from "./scale/sizes.ts";

const USAGE = `npm run bench:scale -- [options]
  --only PATTERN   what grows, as a regular expression: shards, nodes, valueBytes, keys
  --seconds S      length of one measurement; default 3
  --times N        measurements of SET and of GET for each size; default 3
  --svg DIRECTORY  a plot of each thing that grows, scale-*.svg, goes there
  --json           [{ "growing", "size", "set", "get", ... }] instead of tables`;

const given = understood(() => readArguments(process.argv.slice(2)), USAGE);
// A row at a time for those who watch; standard output is for the figures when programs read them.
const say = given.json ? console.error : console.log;
exitInOrder();
process.exitCode = await run();

function readArguments(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", default: "" },
      seconds: { type: "string", default: "3" },
      times: { type: "string", default: "3" },
      svg: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const pattern = new RegExp(values.only, "i");
  const growing = (Object.keys(GROWTH) as Growing[]).filter((name) => pattern.test(name));
  if (growing.length === 0) throw new RangeError(`--only ${values.only}: nothing that grows has this name`);
  return {
    growing,
    seconds: secondsOf("--seconds", values.seconds),
    times: wholeNumber("--times", values.times),
    svg: values.svg ?? null,
    json: values.json,
  };
}

/** Answers the exit code: 1 when a size failed, for then its figures are missing. */
async function run(): Promise<number> {
  expectBuilt();
  const programs = findPrograms();
  const options = { seconds: given.seconds, times: given.times, programs };
  const figures: ScaleFigure[] = [];
  let failures = 0;
  say(`${describeMachine(tmpdir())}\n\n${SPEED_HEADING}`);
  for (const growing of given.growing)
    for (const size of GROWTH[growing]) {
      try {
        const row = await scaleRow(growing, size, options);
        const figure = figureOf(row);
        figures.push(figure);
        say(speedLine(row, figure));
      } catch (error) {
        failures++;
        const reason = error instanceof Error ? error.message : error;
        console.error(`${sizeText(growing, size)} ${growing}: FAILED: ${reason}`);
      }
    }
  const memory = memoryTable(figures);
  if (memory !== "") say(`\n${memory}`);
  if (programs.redis.path === null && given.growing.includes("keys"))
    console.error(`redis-server is not installed: apt-get install -y ${programs.redis.package}`);
  if (given.json) console.log(JSON.stringify(figures, null, 2));
  if (given.svg !== null) {
    mkdirSync(given.svg, { recursive: true });
    for (const { file, plot } of plotsOf(figures)) writeFileSync(join(given.svg, file), plotSvg(plot));
  }
  return failures === 0 ? 0 : 1;
}
