/**
 * Founding questions and answers as plain tuples of texts and numbers, as calls carry them, and what a founder remembers. Decoding trusts nothing:
 * whatever is not exactly what the protocol says is a `WireError`.
 */
import type { Address } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import {
  type BootNonce,
  bootNonce,
  type ClusterId,
  clusterId,
  isHex64,
  type NodeId,
  nodeId,
  SHARDS_MAX,
} from "../base/ids.ts";
import { REPLICATION_FACTOR_MAX } from "../base/limits.ts";
import { decodeValue, encodeValue } from "../wire/value-codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { MemberIdentity } from "./cluster-map.ts";
import type { AcceptorState } from "./founding-acceptor.ts";
import type {
  AcceptedValue,
  Ballot,
  FoundingAnswer,
  FoundingMessage,
  FoundingResponder,
  FoundingSender,
  FoundingValue,
  RefusalReason,
} from "./founding-messages.ts";

/** First element of every tuple. Raised when the layout changes. */
const VERSION = 1;
const TEXT_CHARS_MAX = 256;
/** Seeds in a list, and voters of a value. */
const SEEDS_MAX = 1_024;
const REASONS: readonly RefusalReason[] = ["ballot", "seeds", "never", "heard"];

export function encodeFoundingMessage(message: FoundingMessage): unknown[] {
  const head = [VERSION, message.type, writeSender(message.from)];
  switch (message.type) {
    case "probe":
      return head;
    case "prepare":
      return [...head, writeBallot(message.ballot)];
    case "accept":
      return [...head, writeBallot(message.ballot), writeValue(message.value)];
    case "decided":
      return [...head, writeValue(message.value)];
    default:
      return unreachable(message);
  }
}

/** Throws `WireError`. */
export function decodeFoundingMessage(data: unknown): FoundingMessage {
  const [version, type, from, first, second] = tuple(data, 3, 5);
  expectVersion(version);
  const sender = readSender(from);
  switch (type) {
    case "probe":
      return { type, from: sender };
    case "prepare":
      return { type, from: sender, ballot: readBallot(first) };
    case "accept":
      return { type, from: sender, ballot: readBallot(first), value: readValue(second) };
    case "decided":
      return { type, from: sender, value: readValue(first) };
    default:
      throw new WireError("unknown founding question", 0);
  }
}

export function encodeFoundingAnswer(answer: FoundingAnswer): unknown[] {
  const head = [VERSION, answer.type, writeResponder(answer.from)];
  switch (answer.type) {
    case "none":
      return head;
    case "cluster":
      return [...head, answer.clusterId, answer.member ? 1 : 0, optional(answer.value, writeValue)];
    case "promised":
      return [...head, writeBallot(answer.ballot), optional(answer.accepted, writeAccepted)];
    case "accepted":
      return [...head, writeBallot(answer.ballot)];
    case "refused":
      return [...head, answer.reason, optional(answer.promised, writeBallot)];
    default:
      return unreachable(answer);
  }
}

/** Throws `WireError`. */
export function decodeFoundingAnswer(data: unknown): FoundingAnswer {
  const [version, type, from, first, second, third] = tuple(data, 3, 6);
  expectVersion(version);
  const responder = readResponder(from);
  switch (type) {
    case "none":
      return { type, from: responder };
    case "cluster": {
      const value = optional(third, readValue);
      return { type, from: responder, clusterId: readClusterId(first), member: flag(second), value };
    }
    case "promised":
      return {
        type,
        from: responder,
        ballot: readBallot(first),
        accepted: optional(second, readAccepted),
      };
    case "accepted":
      return { type, from: responder, ballot: readBallot(first) };
    case "refused":
      return { type, from: responder, reason: readReason(first), promised: optional(second, readBallot) };
    default:
      throw new WireError("unknown founding answer", 0);
  }
}

/** What an acceptor remembers over a restart, as bytes. */
export function encodeAcceptorState({ promised, accepted, decided }: AcceptorState): Uint8Array {
  return encodeValue([
    VERSION,
    optional(promised, writeBallot),
    optional(accepted, writeAccepted),
    optional(decided, writeValue),
  ]);
}

/** Throws `WireError`. */
export function decodeAcceptorState(bytes: Uint8Array): AcceptorState {
  const [version, promised, accepted, decided] = tuple(decodeValue(bytes), 4, 4);
  expectVersion(version);
  return {
    promised: optional(promised, readBallot),
    accepted: optional(accepted, readAccepted),
    decided: optional(decided, readValue),
  };
}

function writeSender(sender: FoundingSender): unknown[] {
  return [sender.nodeId, sender.boot, [...sender.seeds]];
}

function readSender(data: unknown): FoundingSender {
  const [id, boot, seeds] = tuple(data, 3, 3);
  return { nodeId: readNodeId(id), boot: readBoot(boot), seeds: readSeeds(seeds) };
}

function writeResponder(responder: FoundingResponder): unknown[] {
  return [writeIdentity(responder.identity), [...responder.seeds], responder.mayFound ? 1 : 0];
}

function readResponder(data: unknown): FoundingResponder {
  const [identity, seeds, mayFound] = tuple(data, 3, 3);
  return { identity: readIdentity(identity), seeds: readSeeds(seeds), mayFound: flag(mayFound) };
}

function writeBallot(ballot: Ballot): unknown[] {
  return [ballot.round, ballot.nodeId];
}

function readBallot(data: unknown): Ballot {
  const [round, id] = tuple(data, 2, 2);
  return { round: integer(round, 1, Number.MAX_SAFE_INTEGER - 1), nodeId: readNodeId(id) };
}

function writeAccepted(accepted: AcceptedValue): unknown[] {
  return [writeBallot(accepted.ballot), writeValue(accepted.value)];
}

function readAccepted(data: unknown): AcceptedValue {
  const [ballot, value] = tuple(data, 2, 2);
  return { ballot: readBallot(ballot), value: readValue(value) };
}

function writeValue(value: FoundingValue): unknown[] {
  const { clusterId, founder, voters, shardCount, replicationFactor } = value;
  return [clusterId, founder, voters.map(writeIdentity), shardCount, replicationFactor];
}

function readValue(data: unknown): FoundingValue {
  const [id, founder, voters, shardCount, replicationFactor] = tuple(data, 5, 5);
  const identities = tuple(voters, 1, SEEDS_MAX).map(readIdentity);
  if (new Set(identities.map((voter) => voter.nodeId)).size !== identities.length) {
    throw new WireError("a founding voter twice", 0);
  }
  return {
    clusterId: readClusterId(id),
    founder: readNodeId(founder),
    voters: identities,
    shardCount: integer(shardCount, 1, SHARDS_MAX),
    replicationFactor: integer(replicationFactor, 1, REPLICATION_FACTOR_MAX),
  };
}

function writeIdentity(identity: MemberIdentity): unknown[] {
  const { nodeId, boot, address, name, zone, weight, respPort, httpPort } = identity;
  return [nodeId, boot, address.host, address.port, name, zone, weight, respPort, httpPort];
}

function readIdentity(data: unknown): MemberIdentity {
  const [id, boot, host, port, name, zone, weight, respPort, httpPort] = tuple(data, 9, 9);
  if (typeof weight !== "number" || !(weight > 0 && weight < Number.POSITIVE_INFINITY)) {
    throw new WireError("weight not > 0", 0);
  }
  const address: Address = { host: text(host), port: integer(port, 1, 65_535) };
  return {
    nodeId: readNodeId(id),
    boot: readBoot(boot),
    address,
    name: text(name),
    zone: text(zone),
    weight,
    respPort: integer(respPort, 0, 65_535),
    httpPort: integer(httpPort, 0, 65_535),
  };
}

function readSeeds(data: unknown): string[] {
  return tuple(data, 0, SEEDS_MAX).map(text);
}

function readReason(data: unknown): RefusalReason {
  const reason = REASONS.find((each) => each === data);
  if (reason === undefined) throw new WireError("unknown refusal", 0);
  return reason;
}

function readNodeId(data: unknown): NodeId {
  return nodeId(hex64(data));
}

function readBoot(data: unknown): BootNonce {
  return bootNonce(hex64(data));
}

function readClusterId(data: unknown): ClusterId {
  return clusterId(hex64(data));
}

function hex64(data: unknown): string {
  if (typeof data !== "string" || !isHex64(data)) throw new WireError("not 16 hexadecimal digits", 0);
  return data;
}

function text(data: unknown): string {
  if (typeof data !== "string" || data.length > TEXT_CHARS_MAX) throw new WireError("not a short text", 0);
  return data;
}

function integer(data: unknown, least: number, most: number): number {
  if (typeof data !== "number" || !Number.isInteger(data) || data < least || data > most) {
    throw new WireError(`not an integer ${least} .. ${most}`, 0);
  }
  return data;
}

function flag(data: unknown): boolean {
  return integer(data, 0, 1) === 1;
}

function tuple(data: unknown, least: number, most: number): unknown[] {
  if (!Array.isArray(data) || data.length < least || data.length > most) {
    throw new WireError(`not a list of ${least} .. ${most}`, 0);
  }
  return data;
}

/** Absent stays absent. */
function optional<In, Out>(data: In | null | undefined, convert: (data: In) => Out): Out | null {
  return data === null || data === undefined ? null : convert(data);
}

function expectVersion(data: unknown): void {
  if (data !== VERSION) throw new WireError(`layout version ${String(data)} is not ${VERSION}`, 0);
}
