/**
 * Whom a node talks to. The rules as pure functions: what the accepting end makes of a hello, and what the dialling end
 * makes of the answer. Two clusters never merge because no link between them passes here.
 */
import { formatAddress } from "../../base/address.ts";
import { CremaError, type CremaErrorCode, isCremaErrorCode } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import {
  type Hello,
  type Identity,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  type Purpose,
  type Refusal,
  type Welcome,
} from "../../wire/handshake-codec.ts";

/** Why two nodes do not talk. */
export interface Objection {
  readonly code: CremaErrorCode;
  readonly message: string;
}

/** What the accepting end answers. */
export type HelloVerdict =
  | { readonly type: "welcome"; readonly protocol: number }
  | { readonly type: "refuse"; readonly objection: Objection };

/** Judges a hello that came to `local`. A hello from `local` itself is welcome: that is how a node finds itself. */
export function judgeHello(hello: Hello, local: Identity): HelloVerdict {
  const protocol = Math.min(hello.protocolMax, PROTOCOL_MAX);
  if (protocol < Math.max(hello.protocolMin, PROTOCOL_MIN)) {
    return refuse(
      "CREMA_PROTOCOL",
      `this node speaks link protocols ${PROTOCOL_MIN} to ${PROTOCOL_MAX}, the dialling one ${hello.protocolMin} to ${hello.protocolMax}`,
    );
  }
  if (hello.proof.scheme !== 0) {
    return refuse("CREMA_PROTOCOL", `authentication scheme ${hello.proof.scheme} is not known here`);
  }
  if (hello.expected !== null && hello.expected !== local.node) {
    return refuse("CREMA_UNREACHABLE", notThere(local, hello.expected));
  }
  if (isSelf(hello.identity, local)) return { type: "welcome", protocol };
  const objection = objectionTo(hello.identity, local, hello.purpose);
  return objection === null ? { type: "welcome", protocol } : { type: "refuse", objection };
}

/** Judges the welcome that `local` got where it expected `expected` (null: anybody). Null: go ahead. */
export function judgeWelcome(
  welcome: Welcome,
  local: Identity,
  purpose: Purpose,
  expected: NodeId | null,
): Objection | null {
  if (welcome.protocol < PROTOCOL_MIN || welcome.protocol > PROTOCOL_MAX) {
    return { code: "CREMA_PROTOCOL", message: `link protocol ${welcome.protocol} was never offered` };
  }
  if (welcome.proof.scheme !== 0) {
    return {
      code: "CREMA_PROTOCOL",
      message: `authentication scheme ${welcome.proof.scheme} was never offered`,
    };
  }
  const remote = welcome.identity;
  if (expected !== null && remote.node !== expected) {
    return { code: "CREMA_UNREACHABLE", message: notThere(remote, expected) };
  }
  return isSelf(remote, local) ? null : objectionTo(remote, local, purpose);
}

/** A refusal as the error that the dialling end reports. */
export function errorOfRefusal(refusal: Refusal): CremaError {
  const code = isCremaErrorCode(refusal.code) ? refusal.code : "CREMA_PROTOCOL";
  return errorOfObjection({ code, message: `${refusal.message} (refused by ${refusal.identity.node})` });
}

export function errorOfObjection(objection: Objection): CremaError {
  const retryable =
    objection.code === "CREMA_UNREACHABLE" ||
    objection.code === "CREMA_NOT_READY" ||
    objection.code === "CREMA_BUSY";
  return new CremaError(objection.code, objection.message, { retryable });
}

/** Both belong to a cluster, and not to the same. */
export function isForeign(one: Identity, other: Identity): boolean {
  return one.clusterId !== null && other.clusterId !== null && one.clusterId !== other.clusterId;
}

/** Whether two identities are those of one process. */
export function isSelf(one: Identity, other: Identity): boolean {
  return one.node === other.node && one.boot === other.boot;
}

/** Whether a channel that `then` opened may go on now that this node is `now`. */
export function sameIdentity(then: Identity, now: Identity): boolean {
  return isSelf(then, now) && then.clusterId === now.clusterId;
}

function notThere(found: Identity, expected: NodeId): string {
  return `${formatAddress(found.address)} is node ${found.node} now, not ${expected}`;
}

function objectionTo(remote: Identity, local: Identity, purpose: Purpose): Objection | null {
  if (remote.node === local.node) {
    return {
      code: "CREMA_ID_CONFLICT",
      message: `node id ${local.node} is held by two live processes: boot ${local.boot} at ${formatAddress(local.address)} and boot ${remote.boot} at ${formatAddress(remote.address)}`,
    };
  }
  if (isForeign(remote, local)) {
    return {
      code: "CREMA_CLUSTER_MISMATCH",
      message: `${formatAddress(local.address)} belongs to cluster ${local.clusterId}, ${formatAddress(remote.address)} to cluster ${remote.clusterId}`,
    };
  }
  if (purpose === "link" && (remote.clusterId === null || local.clusterId === null)) {
    return { code: "CREMA_NOT_READY", message: "a link needs both nodes to belong to a cluster" };
  }
  return null;
}

function refuse(code: CremaErrorCode, message: string): HelloVerdict {
  return { type: "refuse", objection: { code, message } };
}
