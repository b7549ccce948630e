/**
 * `crema restore`: the keys of a backup into a cluster of any size, once the whole file has proved to be in order.
 */
import { CommandFailed } from "../command-failed.ts";
import { type CommandArguments, JSON_FLAG, type OperatorCommand } from "../operator/command.ts";
import { counted, countText } from "../sim/figures.ts";
import { UsageError } from "../usage-error.ts";
import { checkFile } from "./backup-command.ts";
import { RestoreRun, stoppedText } from "./put-back.ts";
import { TransferScreen } from "./transfer-screen.ts";
import { paceText } from "./transfer-view.ts";

export const restoreCommand: OperatorCommand = {
  name: "restore",
  usage: "",
  meaning: "put the keys of a backup back, into a cluster of any size",
  flags: [
    { name: "in", meaning: "the backup to read", placeholder: "file" },
    { name: "merge", meaning: "restore into a cluster that holds keys already", placeholder: null },
    {
      name: "existing",
      meaning: "with --merge, keys that are there: skip or overwrite [default: skip]",
      placeholder: "what",
    },
    {
      name: "keep-ttl",
      meaning: "times to live go on as if no time had passed since the backup",
      placeholder: null,
    },
    JSON_FLAG,
  ],
  examples: [
    ["$0 restore --in monday.crema", "fill an empty cluster"],
    ["$0 restore --in monday.crema --merge --existing overwrite", "put its keys back over newer values"],
  ],
  async run(given, { cluster, colours, stdout }) {
    const { in: path, json } = given.flags;
    if (path === undefined) throw new UsageError("restore needs --in file");
    const existing = existingOf(given);
    const screen = new TransferScreen(stdout, colours, json !== undefined);
    const startedAtMs = performance.now();
    const summary = await checkFile(path, screen);
    const contents = await cluster.contents();
    if (contents.clusterId === null)
      throw new CommandFailed(`${cluster.address} does not belong to a cluster yet`);
    if (contents.keys > 0 && given.flags.merge === undefined) {
      throw new CommandFailed(
        `the cluster holds ${counted(contents.keys, "key")} already. Nothing was written; --merge restores into it ` +
          "all the same, and --existing says what becomes of keys that are there",
      );
    }
    const run = new RestoreRun(cluster, {
      clusterId: contents.clusterId,
      existing,
      keepTtl: given.flags["keep-ttl"] !== undefined,
    });
    const restoringAtMs = performance.now();
    const progress = () => ({
      doing: "restoring",
      shards: summary.shards,
      // A shard is read ahead of the answers to its last blocks: the bar is full when the last answer came.
      shardsDone: run.keys === summary.keys ? run.shardsDone : Math.min(run.shardsDone, summary.shards - 1),
      keys: run.keys,
      keysExpected: summary.keys,
      bytes: run.bytes,
      elapsedMs: performance.now() - restoringAtMs,
    });
    try {
      await screen.during(progress, () => run.run(path));
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new CommandFailed(stoppedText(error, run, summary.keys), { cause: error });
    }
    const { written, skipped, expired } = run;
    const elapsedMs = Math.round(performance.now() - startedAtMs);
    if (json !== undefined)
      screen.document({ file: path, clusterId: contents.clusterId, written, skipped, expired, elapsedMs });
    screen.print(
      `restored ${counted(written, "key")}${restText(run)}, ${paceText(run.keys, performance.now() - restoringAtMs)}`,
    );
    return 0;
  },
};

function existingOf({ flags: { merge, existing } }: CommandArguments): "skip" | "overwrite" {
  if (existing !== undefined && merge === undefined) throw new UsageError("--existing needs --merge");
  // An empty cluster may get its first writes while it is filled: those are newer than the backup.
  if (existing === undefined || existing === "skip") return "skip";
  if (existing === "overwrite") return "overwrite";
  throw new UsageError(`--existing: '${existing}' is neither skip nor overwrite`);
}

function restText({ skipped, expired }: RestoreRun): string {
  const parts = [
    ...(skipped > 0 ? [`${countText(skipped)} were there already`] : []),
    ...(expired > 0 ? [`${countText(expired)} had expired meanwhile`] : []),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
