/**
 * The command line of the benchmark.
 */
import { parseArgs } from "node:util";
import { secondsOf, wholeNumber } from "./command-line.ts";

export interface BenchArguments {
  readonly json: boolean;
  readonly list: boolean;
  readonly pairs: number;
  readonly seconds: number;
  readonly only: RegExp;
  readonly profile: string | null;
}

export const USAGE = `npm run bench -- [options]
  --only PATTERN  rows whose name matches this regular expression, whatever the case
  --pairs N       pairs of measurements for each row; default 5, fewer are for trying
  --seconds S     length of one measurement; default 5
  --json          [{ "name", "ours", "peer", "ratio", "unit" }] instead of tables
  --list          names of the rows
  --profile DIR   the first of our nodes leaves a .cpuprofile and its log with garbage collections there`;

const PAIRS_DEFAULT = "5";
const SECONDS_DEFAULT = "5";

/** Throws `TypeError` or `RangeError` for what it does not understand. */
export function readArguments(argv: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      pairs: { type: "string", default: PAIRS_DEFAULT },
      seconds: { type: "string", default: SECONDS_DEFAULT },
      only: { type: "string", default: "" },
      profile: { type: "string" },
    },
  });
  return {
    json: values.json,
    list: values.list,
    pairs: wholeNumber("--pairs", values.pairs),
    seconds: secondsOf("--seconds", values.seconds),
    only: new RegExp(values.only, "i"),
    profile: values.profile ?? null,
  };
}
