/**
 * Backup and restore by HTTP: what there is, the section of one shard as a stream, and one block of entries put back.
 * What the bytes mean is in `wire/backup-codec.ts`; `crema backup` and `crema restore` are the clients.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { CremaError } from "../../base/errors.ts";
import { type ClusterId, type ShardId, shardId } from "../../base/ids.ts";
import { promisedReply } from "../../node/promised-reply.ts";
import {
  BACKUP_FRAME_BYTES_MAX,
  type BackupEntry,
  decodeBackupEntries,
  decodeBackupFrame,
  encodeBackupFailed,
} from "../../wire/backup-codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { allShards } from "../gather.ts";
import { replyArray } from "../reply-forms.ts";
import { type PutBackOptions, putBack } from "./block-restore.ts";
import { badRequest, failureAnswer, HttpFailure, INTERNAL_FAILURE } from "./http-failure.ts";
import type { HttpServices } from "./http-services.ts";
import { ResponseSink } from "./response-sink.ts";

/** Blocks being put back at once by one node; each is held in memory meanwhile. */
export const RESTORE_BLOCKS_MAX = 16;
/** How long one block is tried, busy shards and elections included. */
const BLOCK_TIMEOUT_MS = 30_000;

export function addBackupRoutes(app: FastifyInstance, services: HttpServices): void {
  const { door, admin } = services;
  let restoring = 0;

  app.get("/backup", async () => {
    return { clusterId: admin.clusterId, shardCount: door.shardCount, ...(await contents(services)) };
  });

  app.get("/backup/shards/:shard", { exposeHeadRoute: false }, async (request, reply) => {
    const shard = shardOf(request, door.shardCount);
    const reader = new AbortController();
    const sink = new ResponseSink(reply.raw, () => reader.abort());
    try {
      await admin.backupShard(shard, sink, reader.signal);
    } catch (error) {
      // Until the first byte is sent the answer can still be a failure with a status.
      if (!sink.begun) throw error;
      services.logger.warn({ error }, `the backup of shard ${shard} broke off`);
      reply.hijack();
      sink.end(encodeBackupFailed(failureOf(error)));
      return reply;
    }
    reply.hijack();
    sink.end(new Uint8Array(0));
    return reply;
  });

  app.post("/backup/entries", { bodyLimit: BACKUP_FRAME_BYTES_MAX }, async (request) => {
    checkCluster(request, admin.clusterId);
    const options = putBackOptions(request, services);
    const entries = entriesIn(request.body);
    if (restoring >= RESTORE_BLOCKS_MAX) {
      const message = `${restoring} blocks are being put back by this node already`;
      throw new CremaError("CREMA_BUSY", message, { retryable: true, retryAfterMs: 1_000 });
    }
    restoring++;
    try {
      return await putBack(door, entries, options);
    } finally {
      restoring--;
    }
  });
}

/** Keys, and bytes of keys and values, of the whole cluster; linearizable per shard. */
async function contents({ door, requestTimeoutMs }: HttpServices): Promise<{ keys: number; bytes: number }> {
  const replies = await Promise.all(
    allShards(door).map((shard) =>
      promisedReply((sink) => door.read(shard, { type: "stats" }, "linearizable", requestTimeoutMs, sink)),
    ),
  );
  let [keys, bytes] = [0, 0];
  for (const reply of replies) {
    const [shardKeys, shardBytes] = replyArray(reply);
    keys += Number(shardKeys);
    bytes += Number(shardBytes);
  }
  return { keys, bytes };
}

function shardOf(request: FastifyRequest, shardCount: number): ShardId {
  const { shard: text } = request.params as { readonly shard: string };
  const shard = Number(text);
  if (/^[0-9]+$/.test(text) && shard < shardCount) return shardId(shard);
  throw badRequest(`a shard of this cluster is 0 .. ${shardCount - 1}, not ${text}`);
}

/**
 * A restore names the cluster it began with. A node that was started again in the middle may have founded another one at
 * the same address: half of the keys would be there, and the restore would call itself done.
 */
function checkCluster(request: FastifyRequest, clusterId: ClusterId | null): void {
  const { cluster } = request.query as Readonly<Record<string, unknown>>;
  if (cluster === undefined || cluster === clusterId) return;
  const message = `the restore began in cluster ${String(cluster)}, and this node belongs to ${clusterId ?? "none"}`;
  throw new CremaError("CREMA_CLUSTER_MISMATCH", message);
}

function putBackOptions(request: FastifyRequest, { requestTimeoutMs }: HttpServices): PutBackOptions {
  const { existing = "skip", elapsedMs: elapsed = "0" } = request.query as Readonly<Record<string, unknown>>;
  if (existing !== "skip" && existing !== "overwrite") throw badRequest("existing is skip or overwrite");
  const elapsedMs = Number(elapsed);
  if (typeof elapsed !== "string" || !/^[0-9]+$/.test(elapsed) || !Number.isSafeInteger(elapsedMs)) {
    throw badRequest("elapsedMs is an integer >= 0");
  }
  return { existing, elapsedMs, requestTimeoutMs, deadlineMs: performance.now() + BLOCK_TIMEOUT_MS };
}

function entriesIn(body: unknown): readonly BackupEntry[] {
  try {
    const frame = decodeBackupFrame(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    if (frame.type === "block") return decodeBackupEntries(frame);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw badRequest(`the block of the backup is damaged: ${error.message}`);
  }
  throw badRequest("the body is a block of a backup");
}

function failureOf(error: unknown): CremaError {
  if (error instanceof CremaError) return error;
  const { message } = (failureAnswer(error instanceof HttpFailure ? error : null) ?? INTERNAL_FAILURE).body;
  return new CremaError("CREMA_INTERNAL", message, { cause: error });
}
