/**
 * `npm run bench`: the same work for our cluster, for etcd and for Redis, in turn, on this machine. Rows are in `rows.ts`, how
 * they are paired in `pairing.ts`. Progress goes to standard error, results to standard output.
 */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { readArguments, USAGE } from "./arguments.ts";
import { expectBuilt, understood } from "./command-line.ts";
import { describeMachine } from "./machine.ts";
import { type Measurement, measure } from "./measuring.ts";
import { type Pair, runPairs } from "./pairing.ts";
import { findPrograms, missingFor, type Program, type Programs } from "./programs.ts";
import { figuresOf, type RowResult, tablesOf } from "./report.ts";
import { ROWS, type Row } from "./rows.ts";
import { Stage } from "./stage.ts";

const WARM_UP_SECONDS = 0.5;
const PAIRS_FOR_PUBLICATION = 5;

const given = understood(() => readArguments(process.argv.slice(2)), USAGE);
const rows = ROWS.filter(({ name }) => given.only.test(name));
if (rows.length === 0) {
  console.error(`no row's name matches ${given.only}: npm run bench -- --list names them all`);
  process.exitCode = 2;
} else if (given.list) console.log(rows.map(({ name }) => name).join("\n"));
else process.exitCode = await run();

/** Runs all rows and prints what came out, also when some failed. Answers the exit code. */
async function run(): Promise<number> {
  expectBuilt();
  if (given.profile !== null) mkdirSync(given.profile, { recursive: true });
  const programs = findPrograms();
  const heading = headingOf(programs);
  console.error(heading);
  const stage = new Stage(programs, given.profile);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void stage.close().finally(() => process.exit(130)));
  const results: RowResult[] = [];
  const failures: string[] = [];
  try {
    for (const row of rows) {
      const missing = missingFor(row.ours, programs);
      if (missing.length > 0) {
        console.error(`\n${row.name}: left out, it needs ${missing.map(({ name }) => name).join(" and ")}`);
        continue;
      }
      try {
        results.push(await runRow(row, stage, programs));
      } catch (error) {
        const text = `${row.name}: FAILED: ${error instanceof Error ? error.message : error}`;
        console.error(text);
        failures.push(text);
        // Whatever is left of it must not stand in the next row's way.
        await stage.close();
      }
    }
  } finally {
    await stage.close();
  }
  if (given.json) console.log(JSON.stringify(results.flatMap(figuresOf), null, 2));
  else console.log([heading, tablesOf(results), ...failures].join("\n\n"));
  return failures.length === 0 && results.length > 0 ? 0 : 1;
}

async function runRow(row: Row, stage: Stage, programs: Programs): Promise<RowResult> {
  const peerSide = row.peer !== null && missingFor(row.peer, programs).length === 0 ? row.peer : null;
  const sides = peerSide === null ? [row.ours] : [row.ours, peerSide];
  console.error(`\n${row.name}`);
  const [ours, peer] = await stage.set(sides);
  if (ours === undefined) throw new Error("nothing runs");
  const duration = { warmUpSeconds: WARM_UP_SECONDS, seconds: given.seconds };
  const circumstances = { duration, pids: stage.pids, programs, expectRunning: () => stage.expectRunning() };
  const paired = await runPairs<Measurement>({
    pairs: given.pairs,
    runAgainMax: given.pairs,
    ours: () => measure(row.ours, ours, circumstances),
    peer: peerSide === null || peer === undefined ? null : () => measure(peerSide, peer, circumstances),
    onPair: (title, pair, disturbance) => console.error(`  ${title}: ${pairText(pair, disturbance)}`),
  });
  return { row, run: paired };
}

function pairText({ ours, peer }: Pair<Measurement>, disturbance: string | null): string {
  const text = ({ perSecond, outcome, loadCores }: Measurement) =>
    `${Math.round(perSecond).toLocaleString("en")}/s, p50 ${outcome.p50Ms.toPrecision(3)} ms, load ${loadCores.toFixed(2)} cores`;
  const both = peer === null ? text(ours) : `${text(ours)} | ${text(peer)}`;
  return disturbance === null ? both : `${both} (disturbed: ${disturbance})`;
}

/** Under what circumstances it was measured. */
function headingOf(programs: Programs): string {
  const lines = [describeMachine(tmpdir())];
  for (const { name, path, version, package: packageName } of Object.values(programs) as readonly Program[]) {
    if (path !== null) lines.push(`${name} ${version}`);
    else
      lines.push(
        `${name} is not installed, rows against it run ours alone: apt-get install -y ${packageName}`,
      );
  }
  lines.push(
    "keys of 16 bytes, values of 64, 100,000 keys; 16 shards, three copies; etcd always syncs to disk",
  );
  lines.push(`${given.pairs} pairs of ${given.seconds} s each, after a warm-up`);
  if (given.pairs < PAIRS_FOR_PUBLICATION) lines.push("fewer than five pairs: for trying only");
  return lines.join("\n");
}
