/**
 * `crema backup`: the whole cluster into a file, while it serves. `crema backup verify`: what is in such a file.
 */
import {
  type CommandArguments,
  type CommandContext,
  JSON_FLAG,
  type OperatorCommand,
} from "../operator/command.ts";
import { counted } from "../sim/figures.ts";
import { UsageError } from "../usage-error.ts";
import { type BackupSummary, readBackupFile } from "./backup-file.ts";
import { BackupFileWriter } from "./backup-file-writer.ts";
import { BackupRun, reasonOf } from "./take-backup.ts";
import { TransferScreen } from "./transfer-screen.ts";
import { bytesText, totalText } from "./transfer-view.ts";

export const backupCommand: OperatorCommand = {
  name: "backup",
  usage: "[verify] [file]",
  meaning: "write every key to a file, through any node; 'backup verify <file>' checks one",
  flags: [
    { name: "out", meaning: "where to write the backup", placeholder: "file" },
    { name: "force", meaning: "replace a file that is there", placeholder: null },
    JSON_FLAG,
  ],
  examples: [
    ["$0 backup --out monday.crema", "each shard as it was at one moment, with checksums"],
    ["$0 backup verify monday.crema", "compare every checksum, show what is inside"],
  ],
  async run(given, context) {
    const { verify, file } = given.positional;
    if (verify === undefined) return await backup(given, context);
    if (verify !== "verify") throw new UsageError(`unexpected argument '${verify}' after backup`);
    if (file === undefined) throw new UsageError("backup verify needs a file");
    return await verifyFile(file, given, context);
  },
};

async function backup(
  given: CommandArguments,
  { cluster, colours, stdout }: CommandContext,
): Promise<number> {
  const { out, force, json } = given.flags;
  if (out === undefined) throw new UsageError("backup needs --out file");
  const screen = new TransferScreen(stdout, colours, json !== undefined);
  const startedAtMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedAtMs;
  const file = await BackupFileWriter.open(out, force !== undefined);
  try {
    const contents = await cluster.contents();
    const run = new BackupRun(cluster, contents, file, (shard, error) =>
      screen.print(`shard ${shard} is read again: ${reasonOf(error)}`),
    );
    const progress = () => ({
      doing: "backing up",
      shards: contents.shardCount,
      shardsDone: run.shardsDone,
      keys: run.keys,
      keysExpected: contents.keys,
      bytes: file.length,
      elapsedMs: elapsedMs(),
    });
    const totals = await screen.during(progress, () => run.run(Date.now()));
    const fileBytes = file.length;
    if (json !== undefined) {
      screen.document({
        file: out,
        clusterId: contents.clusterId,
        ...totals,
        fileBytes,
        elapsedMs: Math.round(elapsedMs()),
      });
    }
    const done = totalText(totals.keys, totals.bytes, elapsedMs());
    screen.print(`${counted(totals.shards, "shard")}, ${done}: ${out} has ${bytesText(fileBytes)}`);
    return 0;
  } finally {
    await file.close();
  }
}

async function verifyFile(
  path: string,
  { flags: { out, force, json } }: CommandArguments,
  { colours, stdout }: CommandContext,
): Promise<number> {
  if (out !== undefined || force !== undefined)
    throw new UsageError("backup verify takes neither --out nor --force");
  const screen = new TransferScreen(stdout, colours, json !== undefined);
  const summary = await checkFile(path, screen);
  const { header, fileBytes, ...counts } = summary;
  const createdAt = new Date(header.createdAtMs).toISOString();
  if (json !== undefined)
    screen.document({ file: path, clusterId: header.clusterId, createdAt, ...counts, fileBytes });
  screen.print(`${path} is whole: ${summaryText(summary)}`);
  screen.print(`cluster ${header.clusterId}, ${counted(header.shardCount, "shard")}, created ${createdAt}`);
  return 0;
}

/** Reads all of `path`, showing how far it is; throws `CommandFailed` unless everything in it is as it was written. */
export async function checkFile(path: string, screen: TransferScreen): Promise<BackupSummary> {
  const startedAtMs = performance.now();
  const seen = { shards: 1, shardsDone: 0, keys: 0, bytes: 0 };
  const progress = () => {
    const elapsedMs = performance.now() - startedAtMs;
    return { doing: "checking", keysExpected: 0, elapsedMs, ...seen };
  };
  return await screen.during(progress, () =>
    readBackupFile(path, true, ({ frame, bytes, header }) => {
      seen.bytes += bytes.length;
      if (header !== null) seen.shards = header.shardCount;
      if (frame?.type === "block") seen.keys += frame.entries;
      if (frame?.type === "shard-end") seen.shardsDone++;
    }),
  );
}

/** `12 keys (3 kB) in 2 blocks, 1 kB packed`. */
export function summaryText({ keys, bytes, blocks, fileBytes }: BackupSummary): string {
  return `${counted(keys, "key")} (${bytesText(bytes)}) in ${counted(blocks, "block")}, ${bytesText(fileBytes)} packed`;
}
