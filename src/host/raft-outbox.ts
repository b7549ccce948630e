/**
 * The messages of one turn, of all groups: what goes to one peer is one frame, or a few if it is much. What the link does not
 * take is dropped; raft says it again. A link on which large values wait takes no entries, but still what keeps a group alive: heartbeats, votes,
 * acknowledgements, of which a turn has at most some for each group.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { RaftMessage } from "../raft/messages.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { encodeRaftMessage } from "../wire/raft-codec.ts";

export interface RaftFrames {
  /** Starts a raft frame to `node`; null when the link is down or congested: for one that is `light`, with no entries, much later. */
  beginFrame(node: NodeId, light: boolean): ByteWriter | null;
  endFrame(node: NodeId): void;
}

/** A frame beyond this takes no further message. One message holds at most one entry beyond 1 MiB, so none is too large. */
const FRAME_BYTES_AIM = 2 * 1024 * 1024;

interface OutgoingMessage {
  readonly group: GroupId;
  readonly message: RaftMessage;
}

export class RaftOutbox {
  readonly #frames: RaftFrames;
  readonly #counters: { messagesSent: number; messagesDropped: number };
  readonly #waiting = new Map<NodeId, OutgoingMessage[]>();

  constructor(frames: RaftFrames, counters: { messagesSent: number; messagesDropped: number }) {
    this.#frames = frames;
    this.#counters = counters;
  }

  post(group: GroupId, message: RaftMessage): void {
    const waiting = this.#waiting.get(message.to);
    if (waiting === undefined) this.#waiting.set(message.to, [{ group, message }]);
    else waiting.push({ group, message });
  }

  sendAll(): void {
    for (const [node, messages] of this.#waiting) {
      if (messages.length === 0) continue;
      let sent = 0;
      while (sent < messages.length) {
        const count = this.#sendFrame(node, messages, sent, false);
        if (count === 0) break;
        sent += count;
      }
      if (sent < messages.length) {
        const light = messages.slice(sent).filter(({ message }) => isLight(message));
        if (light.length > 0) sent += this.#sendFrame(node, light, 0, true);
      }
      this.#counters.messagesSent += sent;
      this.#counters.messagesDropped += messages.length - sent;
      messages.length = 0;
    }
  }

  /** As many messages from `first` on as one frame should hold; 0 when the link takes none. */
  #sendFrame(node: NodeId, messages: readonly OutgoingMessage[], first: number, light: boolean): number {
    const writer = this.#frames.beginFrame(node, light);
    if (writer === null) return 0;
    const start = writer.length;
    let next = first;
    while (next < messages.length && writer.length - start < FRAME_BYTES_AIM) {
      const { group, message } = messages[next++] as OutgoingMessage;
      writer.varint(group);
      encodeRaftMessage(writer, message);
    }
    this.#frames.endFrame(node);
    return next - first;
  }
}

function isLight(message: RaftMessage): boolean {
  return message.type !== "append-request" || message.entries.length === 0;
}
