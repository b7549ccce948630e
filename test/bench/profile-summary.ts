/**
 * `npm run bench:profile -- FILE`: where the time of a .cpuprofile went, by function and by folder, as text.
 */
import { readFileSync } from "node:fs";

/** As V8 writes it. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds between a sample and the one before. */
  readonly timeDeltas: readonly number[];
}

const FUNCTIONS_SHOWN = 30;
const FOLDERS_SHOWN = 20;

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("npm run bench:profile -- FILE.cpuprofile");
  process.exitCode = 2;
} else summarise(JSON.parse(readFileSync(file, "utf8")));

function summarise({ nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const ofFunction = new Map<string, number>();
  const ofFolder = new Map<string, number>();
  let busy = 0;
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    const microseconds = timeDeltas[at] ?? 0;
    if (frame === undefined || frame.functionName === "(idle)") continue;
    busy += microseconds;
    const place = placeOf(frame.url);
    const name = frame.functionName || "(anonymous)";
    add(ofFunction, place === "" ? name : `${name}  ${place}:${frame.lineNumber + 1}`, microseconds);
    add(ofFolder, place === "" ? name : place.slice(0, place.lastIndexOf("/") + 1) || place, microseconds);
  }
  console.log(`${(busy / 1e6).toFixed(2)} s busy; time in the function itself, not in what it calls`);
  print(ofFunction, busy, FUNCTIONS_SHOWN);
  console.log("\nby folder");
  print(ofFolder, busy, FOLDERS_SHOWN);
}

/** The part of an address that tells one file from another here. */
function placeOf(url: string): string {
  return url.replace(/^file:\/\//, "").replace(/^.*\/(dist|node_modules)\//, "$1/");
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function print(sums: ReadonlyMap<string, number>, total: number, count: number): void {
  const sorted = [...sums].sort(([, one], [, other]) => other - one).slice(0, count);
  for (const [key, value] of sorted)
    console.log(`${((100 * value) / total).toFixed(1).padStart(5)} %  ${key}`);
}
