/**
 * `npm run bench:steady`: how long reads take while nodes take checkpoints, while shards move, while large values pass, against the
 * same reads on the same nodes when nothing of it happens.
 */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { exitInOrder, expectBuilt, secondsOf, understood, wholeNumber } from "./command-line.ts";
import { describeMachine } from "./machine.ts";
import type { Pair } from "./pairing.ts";
import { CHECKPOINTS } from "./steady/checkpoints.ts";
import { REBALANCE } from "./steady/rebalance.ts";
import { figuresOf, objectionsTo, tablesOf } from "./steady/steady-report.ts";
import { type SteadyRow, type SteadyWindow, steadyRun } from "./steady/steady-run.ts";
import { TRANSFERS } from "./steady/transfer.ts";

const KINDS = [CHECKPOINTS, REBALANCE, ...TRANSFERS];
const USAGE = `npm run bench:steady -- [options]
  --only PATTERN  what disturbs, as a regular expression: ${KINDS.map(({ name }) => name).join(", ")}
  --rounds N      pairs of a disturbed and a quiet window for each; default 5
  --seconds S     length of a window; default 5. A rebalance takes as long as it takes
  --rate N        reads a second; default a third of what the cluster can do, measured first
  --json          [{ "disturbance", "reads", "quiet", "disturbed", "ratio", ... }] instead of tables`;

const given = understood(() => readArguments(process.argv.slice(2)), USAGE);
exitInOrder();
process.exitCode = await run();

function readArguments(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", default: "" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "5" },
      rate: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const pattern = new RegExp(values.only, "i");
  const kinds = KINDS.filter(({ name }) => pattern.test(name));
  if (kinds.length === 0) throw new RangeError(`--only ${values.only}: nothing that disturbs has this name`);
  return {
    kinds,
    rounds: wholeNumber("--rounds", values.rounds),
    seconds: secondsOf("--seconds", values.seconds),
    perSecond: values.rate === undefined ? null : wholeNumber("--rate", values.rate),
    json: values.json,
  };
}

/** Answers the exit code: 1 when something failed, or when what should have disturbed did not happen. */
async function run(): Promise<number> {
  expectBuilt();
  const heading = describeMachine(tmpdir());
  console.error(heading);
  const rows: SteadyRow[] = [];
  const failures: string[] = [];
  for (const kind of given.kinds) {
    console.error(`\n${kind.name}`);
    try {
      const row = await steadyRun(kind, {
        ...given,
        onPair: (title, pair, disturbance) => console.error(`  ${title}: ${pairText(pair, disturbance)}`),
      });
      rows.push(row);
      failures.push(...objectionsTo(row));
    } catch (error) {
      failures.push(`${kind.name}: FAILED: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (given.json) console.log(JSON.stringify(rows.flatMap(figuresOf), null, 2));
  else console.log([heading, tablesOf(rows)].join("\n\n"));
  for (const failure of failures) console.error(failure);
  return failures.length === 0 ? 0 : 1;
}

function pairText({ ours, peer }: Pair<SteadyWindow>, disturbance: string | null): string {
  const text = ({ reads, nodeCores }: SteadyWindow) =>
    `p99 ${reads.linearizable.p99Ms.toPrecision(3)} and ${reads.local.p99Ms.toPrecision(3)} ms, nodes ${nodeCores.toFixed(2)} cores`;
  const both = `${text(ours)} | quiet: ${peer === null ? "" : text(peer)}`;
  return disturbance === null ? both : `${both} (disturbed by others: ${disturbance})`;
}
