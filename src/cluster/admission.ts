/**
 * How a node becomes a member: it asks any member, which has the map changed and answers the map that lists it.
 */
import type { Address } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { BootNonce, NodeId } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { PeerLinks } from "../host/links/peer-links.ts";
import type { Clock } from "../host/ports.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { WireError } from "../wire/wire-error.ts";
import { decodeMap, encodeMap, readBoots, readIdentity, writeBoots, writeIdentity } from "./cluster-codec.ts";
import { type ClusterMap, findMember, type MemberIdentity } from "./cluster-map.ts";
import type { MapStore } from "./map-store.ts";
import type { SystemGroup } from "./system-group.ts";

const METHOD_JOIN = "cluster.join";
const TIMEOUT_MS = 5_000;
/** How often the map is looked at while it has not arrived. */
const POLL_MS = 10;

export interface AdmissionParts {
  readonly calls: Calls;
  readonly links: PeerLinks;
  readonly clock: Clock;
  readonly store: MapStore;
  readonly system: SystemGroup;
}

export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    parts.calls.handle(METHOD_JOIN, (params) => {
      const reader = new ByteReader(bytesOf(params));
      const identity = readIdentity(reader);
      const formerBoots = readBoots(reader);
      reader.expectEnd();
      return this.#admit(identity, formerBoots);
    });
  }

  /** Asks the node at `address` to have `identity`, who had `formerBoots`, admitted; answers the map that lists it. */
  async ask(
    address: Address,
    identity: MemberIdentity,
    formerBoots: readonly BootNonce[],
  ): Promise<ClusterMap> {
    const writer = new ByteWriter(128);
    writeIdentity(writer, identity);
    writeBoots(writer, formerBoots);
    const { value } = await this.#parts.calls.callAddress(address, METHOD_JOIN, writer.take(), {
      timeoutMs: TIMEOUT_MS,
    });
    return decodeMap(bytesOf(value));
  }

  /** Has `member` added to the map; answers the version that lists it. CREMA_REMOVED, CREMA_ID_CONFLICT. */
  async add(member: MemberIdentity, formerBoots: readonly BootNonce[]): Promise<number> {
    const command = { type: "add-member", member, formerBoots } as const;
    const result = await this.#parts.system.propose(command, TIMEOUT_MS);
    if (result.type === "applied") return result.version;
    const code = result.reason === "removed" ? "CREMA_REMOVED" : "CREMA_ID_CONFLICT";
    throw new CremaError(code, result.message);
  }

  async #admit(member: MemberIdentity, formerBoots: readonly BootNonce[]): Promise<Uint8Array> {
    const { store, links } = this.#parts;
    if (store.map === null) {
      throw new CremaError("CREMA_NOT_READY", "this node is in no cluster yet", { retryable: true });
    }
    links.setPeer(member.nodeId, member.address);
    return await this.#mapListing(member.nodeId, await this.add(member, formerBoots));
  }

  /** This node's map, once it has reached `version` and lists `node`. */
  #mapListing(node: NodeId, version: number): Promise<Uint8Array> {
    const { store, clock } = this.#parts;
    const deadlineMs = clock.nowMs() + TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const { map } = store;
        if (map !== null && map.version >= version && findMember(map, node) !== null) {
          resolve(encodeMap(map));
        } else if (clock.nowMs() > deadlineMs) {
          reject(new CremaError("CREMA_TIMEOUT", "the new map did not arrive here", { retryable: true }));
        } else {
          clock.setTimer(POLL_MS, check);
        }
      };
      check();
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("a request to join and its answer are bytes", 0);
}
