/**
 * `crema local`: a whole cluster on this machine, shown while it forms and lives, gone after Ctrl-C.
 */
import type { ClusterStatus } from "../../src/index.ts";
import type { CommandContext, OperatorCommand } from "../operator/command.ts";
import { Screen } from "../terminal/screen.ts";
import { UsageError } from "../usage-error.ts";
import { LocalCluster, nodeName } from "./local-cluster.ts";
import { isComplete, type LocalNode, localLines, progressText, waitingNode } from "./local-view.ts";

const NODES_DEFAULT = 3;
const NODES_MAX = 9;
const REFRESH_MS = 250;
const REFRESH_COMPLETE_MS = 1_000;
const PARENT_CHECK_MS = 500;

export const localCommand: OperatorCommand = {
  name: "local",
  usage: "",
  meaning: "run a cluster on this machine and watch it, until Ctrl-C",
  flags: [
    {
      name: "nodes",
      meaning: `how many nodes, 1 .. ${NODES_MAX} [default: ${NODES_DEFAULT}]`,
      placeholder: "n",
    },
  ],
  examples: [["$0 local --nodes 5", "five processes, one cluster"]],
  async run(given, context) {
    const text = given.flags.nodes ?? String(NODES_DEFAULT);
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < 1 || count > NODES_MAX) {
      throw new UsageError(`--nodes: '${text}' is not an integer 1 .. ${NODES_MAX}`);
    }
    const cluster = new LocalCluster();
    process.once("exit", () => cluster.kill());
    const stopped = stopOnSignal();
    const failed = cluster.start(count).then(() => new Promise<never>(() => {}));
    const watching = new AbortController();
    try {
      return await Promise.race([stopped, failed, watch(cluster, count, context, watching.signal)]);
    } finally {
      watching.abort();
      await cluster.stop();
    }
  },
};

/** Resolves with exit code 0 at the first signal, or with the end of npm; a second signal ends the process at once. */
function stopOnSignal(): Promise<number> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(1);
      asked = true;
      process.stdout.write("\nstopping all nodes\n");
      resolve(0);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    process.on("SIGHUP", onSignal);
    watchNpm(() => resolve(0));
  });
}

/** Shows the cluster until every process is gone (exit code 1) or `signal` aborts. */
async function watch(
  cluster: LocalCluster,
  count: number,
  context: CommandContext,
  signal: AbortSignal,
): Promise<number> {
  const startedAtMs = performance.now();
  const elapsed = () => `${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`;
  const { stdout, colours } = context;
  const screen = stdout.isTTY ? new Screen(stdout) : null;
  const print = (lines: readonly string[]) =>
    screen === null ? stdout.write(`${lines.join("\n")}\n`) : screen.print(lines);
  print([colours.bold(`crema local: starting ${count} nodes on this machine`), ""]);
  let progress = "";
  let completeAfter: string | null = null;
  while (!signal.aborted) {
    const status = await cluster.status();
    const nodes = withWaiting(cluster.nodes, count);
    const text = progressText(nodes, status);
    if (screen === null && text !== progress) print([`${elapsed().padStart(7)}  ${text}`]);
    progress = text;
    if (completeAfter === null && status !== null && isComplete(nodes, status)) {
      completeAfter = elapsed();
      if (screen === null)
        print(["", ...localLines(nodes, status, colours), "", ...invitation(cluster, completeAfter)]);
    }
    screen?.draw([
      ...localLines(nodes, status, colours),
      "",
      text,
      ...footer(cluster, completeAfter, status, context),
    ]);
    if (nodes.every((node) => node.state === "gone")) return 1;
    await pause(completeAfter === null ? REFRESH_MS : REFRESH_COMPLETE_MS, signal);
  }
  return 0;
}

/**
 * npm runs scripts through a shell that keeps signals to itself: when npm is told to stop, this process learns of it
 * only by losing its parent. Whoever starts `crema local` without npm may leave it running behind.
 */
function watchNpm(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** The nodes that run, and those that wait until the first has founded the cluster. */
function withWaiting(nodes: readonly LocalNode[], count: number): readonly LocalNode[] {
  return Array.from({ length: count }, (_, index) => nodes[index] ?? waitingNode(nodeName(index)));
}

/** Waits, or returns early once `signal` aborts. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

/** What stands below the tables. */
function footer(
  cluster: LocalCluster,
  completeAfter: string | null,
  status: ClusterStatus | null,
  { colours }: CommandContext,
): readonly string[] {
  if (completeAfter === null || status === null) return ["", colours.dim("Ctrl-C stops all nodes.")];
  return [
    "",
    ...invitation(cluster, completeAfter).map((line, index) => (index === 0 ? colours.green(line) : line)),
  ];
}

/** What to type next, ready to paste. */
function invitation(cluster: LocalCluster, completeAfter: string): readonly string[] {
  const living = cluster.nodes.filter((node) => node.state === "ready");
  const [first, second] = [living[0]?.addresses, living.at(-1)?.addresses];
  if (first == null || second == null) return ["no node is left"];
  return [
    `ready after ${completeAfter}. Any node answers any request:`,
    "",
    `  redis-cli -p ${portOf(first.resp)} set user:1 Alice`,
    `  redis-cli -p ${portOf(second.resp)} get user:1`,
    `  npx crema status --http ${first.http}`,
    "",
    "Ctrl-C stops all nodes.",
  ];
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}
