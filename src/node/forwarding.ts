/**
 * Requests between nodes: one hop from the node that was asked to the shard's leader, and the answer back on the same
 * connection. A node that does not lead says so, with the best hint it has; it never passes a request on, so a
 * request cannot wander.
 */
import { CremaError } from "../base/errors.ts";
import { groupOfShard, type NodeId, type ShardId } from "../base/ids.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";
import type { Channel } from "../host/links/channel.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { decodeSessionCommand } from "../wire/command-codec.ts";
import { FRAME_REQUESTS, FRAME_RESPONSES } from "../wire/frame-types.ts";
import { readShardId } from "../wire/id-codec.ts";
import { decodeQuery } from "../wire/query-codec.ts";
import { decodeReply, encodeReply } from "../wire/reply-codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { ReplySink } from "./door.ts";
import type { LeaderTable } from "./leader-table.ts";
import { OutstandingRequests } from "./outstanding-requests.ts";
import {
  type AttemptFailure,
  type AttemptSink,
  attemptFailureOf,
  type PendingRequest,
  type RequestKind,
} from "./pending-request.ts";
import { isTooLarge } from "./request-limits.ts";
import type { ShardService } from "./shard-service.ts";

const KINDS: readonly RequestKind[] = ["write", "read", "local-read"];
/** Response status bytes. */
const REPLIED = 0;
const FAILURES: readonly AttemptFailure[] = [
  "not-leader",
  "busy",
  "unknown",
  "too-large",
  "disk-full",
  "capacity",
];

/** Writes what a request asks, behind the header that is written here. */
export interface RequestEncoder {
  encode(request: PendingRequest, to: ByteWriter): void;
}

export class Forwarding {
  readonly #shards: ShardService;
  readonly #leaders: LeaderTable;
  readonly #outstanding = new Map<Channel, OutstandingRequests>();
  readonly counters = { sent: 0, served: 0, redirected: 0 };

  constructor(shards: ShardService, leaders: LeaderTable) {
    this.#shards = shards;
    this.#leaders = leaders;
  }

  /** Sends `request` over `channel`; false when the channel cannot take it now. */
  send(channel: Channel, request: PendingRequest, encoder: RequestEncoder): boolean {
    const writer = channel.beginFrame(FRAME_REQUESTS);
    if (writer === null) return false;
    let outstanding = this.#outstanding.get(channel);
    if (outstanding === undefined) {
      outstanding = new OutstandingRequests();
      this.#outstanding.set(channel, outstanding);
    }
    try {
      writer.varint(outstanding.nextNumber);
      writer.u8(KINDS.indexOf(request.kind));
      writer.varint(request.shard);
      encoder.encode(request, writer);
    } catch (error) {
      // What cannot be written must not stand in the way of all that follows.
      channel.cancelFrame();
      throw error;
    }
    outstanding.add(request);
    channel.endFrame();
    this.counters.sent++;
    return true;
  }

  /** The channel is gone: nobody will hear what became of what was sent over it. */
  channelClosed(channel: Channel): void {
    const outstanding = this.#outstanding.get(channel);
    if (outstanding === undefined) return;
    this.#outstanding.delete(channel);
    for (const request of outstanding.takeAll()) request.dropped("unknown");
  }

  /** A request from another node. Throws `WireError` on damage. */
  onRequestFrame(channel: Channel, body: Uint8Array): void {
    const reader = new ByteReader(body);
    const number = reader.varint();
    const kind = KINDS[reader.u8()];
    if (kind === undefined) throw new WireError("unknown kind of request", reader.offset);
    const shard = readShardId(reader);
    const payload = reader.raw(reader.remaining);
    const answer = new RemoteAnswer(this, channel, number, shard);
    if (kind === "write") {
      checkSessionCommand(payload);
      this.#shards.propose(shard, payload, answer);
    } else {
      this.#serveRead(kind, shard, decodeQuery(payload), answer);
    }
    this.counters.served++;
  }

  onResponseFrame(channel: Channel, body: Uint8Array): void {
    const reader = new ByteReader(body);
    const number = reader.varint();
    const status = reader.u8();
    const request = this.#outstanding.get(channel)?.take(number) ?? null;
    if (request === null) return;
    if (status === REPLIED) {
      request.reply(decodeReply(reader));
      return;
    }
    const failure = FAILURES[status - 1];
    if (failure === undefined) throw new WireError("unknown status of a response", reader.offset);
    if (failure === "not-leader") this.#learnHint(request.shard, channel.remote.node, reader);
    request.dropped(failure);
  }

  /** Writes one answer; a channel that is gone or full loses it, and the asker's deadline or link tells it so. */
  respond(
    channel: Channel,
    number: number,
    shard: ShardId,
    reply: Reply,
    failure: AttemptFailure | null,
  ): void {
    const writer = channel.beginFrame(FRAME_RESPONSES);
    if (writer === null) {
      channel.destroy(new CremaError("CREMA_BUSY", "the peer does not take its answers"));
      return;
    }
    writer.varint(number);
    if (failure === null) {
      writer.u8(REPLIED);
      encodeReply(writer, reply);
    } else {
      writer.u8(1 + FAILURES.indexOf(failure));
      if (failure === "not-leader") {
        this.counters.redirected++;
        const hint = this.#leaders.get(groupOfShard(shard));
        writer.varint(hint.term);
        writer.bool(hint.leader !== null);
        if (hint.leader !== null) writer.nodeId(hint.leader);
      }
    }
    channel.endFrame();
  }

  #serveRead(kind: RequestKind, shard: ShardId, query: Query, answer: RemoteAnswer): void {
    if (kind === "read") {
      this.#shards.read(shard, query, answer);
    } else if (this.#shards.canReadLocally(shard)) {
      answer.reply(this.#shards.readLocal(shard, query));
    } else {
      answer.dropped("not-leader");
    }
  }

  #learnHint(shard: ShardId, from: NodeId, reader: ByteReader): void {
    const group = groupOfShard(shard);
    const term = reader.varint();
    const leader = reader.bool() ? reader.nodeId() : null;
    this.#leaders.refused(group, from, leader, term);
  }
}

/** What enters the log is applied by every replica: bytes that none of them could read must not get there. */
function checkSessionCommand(payload: Uint8Array): void {
  const reader = ByteReader.checking(payload);
  decodeSessionCommand(reader);
  reader.expectEnd();
}

/** Carries the outcome of a served request back to the node that asked. */
class RemoteAnswer implements AttemptSink, ReplySink {
  readonly #forwarding: Forwarding;
  readonly #channel: Channel;
  readonly #number: number;
  readonly #shard: ShardId;

  constructor(forwarding: Forwarding, channel: Channel, number: number, shard: ShardId) {
    this.#forwarding = forwarding;
    this.#channel = channel;
    this.#number = number;
    this.#shard = shard;
  }

  applied(reply: Reply): void {
    if (isTooLarge(reply)) this.dropped("too-large");
    else this.#forwarding.respond(this.#channel, this.#number, this.#shard, reply, null);
  }

  dropped(why: AttemptFailure): void {
    this.#forwarding.respond(this.#channel, this.#number, this.#shard, null, why);
  }

  reply(value: Reply): void {
    this.applied(value);
  }

  fail(error: CremaError): void {
    this.dropped(attemptFailureOf(error));
  }
}
