/**
 * One connected Redis client as commands see it: who it says it is and what it has set. What it sends and receives is
 * the connection's business.
 */
import type { RespServices } from "./resp-services.ts";
import type { Consistency } from "./vocabulary.ts";

/** CLIENT REPLY: whether answers are written. `skip-next` turns into `skip` at the next request. */
export type ReplyMode = "on" | "off" | "skip-next";

/** What commands may ask of the connection that a client came on. */
export interface ClientConnection {
  /** host:port of the other end. */
  readonly remoteAddress: string;
  /** host:port of this end. */
  readonly localAddress: string;
  /** The protocol answers are written in. */
  setVersion(version: 2 | 3): void;
  /** Stops reading; closes once everything up to the present request is answered. */
  closeAfterReplies(): void;
}

/** A client's session. Ids are 1, 2, 3, ... per server and never reused. */
export class Client {
  readonly id: number;
  readonly services: RespServices;
  readonly connection: ClientConnection;
  /** Wall-clock milliseconds. */
  readonly connectedAtMs: number;
  lastRequestAtMs: number;
  lastCommand = "NULL";
  name = "";
  libraryName = "";
  libraryVersion = "";
  version: 2 | 3 = 2;
  consistency: Consistency = "linearizable";
  replyMode: ReplyMode = "on";
  noEvict = false;

  constructor(id: number, services: RespServices, connection: ClientConnection) {
    this.id = id;
    this.services = services;
    this.connection = connection;
    this.connectedAtMs = services.door.wallMs();
    this.lastRequestAtMs = this.connectedAtMs;
  }

  /** Back to how it was when it connected: RESET. The id stays. */
  reset(): void {
    this.name = "";
    this.consistency = "linearizable";
    this.replyMode = "on";
    this.noEvict = false;
    this.speak(2);
  }

  speak(version: 2 | 3): void {
    this.version = version;
    this.connection.setVersion(version);
  }

  /** One line in the form of CLIENT LIST. */
  describe(): string {
    const nowMs = this.services.door.wallMs();
    const fields: readonly (readonly [string, string | number])[] = [
      ["id", this.id],
      ["addr", this.connection.remoteAddress],
      ["laddr", this.connection.localAddress],
      ["name", this.name],
      ["age", wholeSeconds(nowMs - this.connectedAtMs)],
      ["idle", wholeSeconds(nowMs - this.lastRequestAtMs)],
      ["flags", `${this.consistency === "local" ? "r" : ""}${this.noEvict ? "e" : ""}` || "N"],
      ["db", 0],
      ["cmd", this.lastCommand],
      ["user", "default"],
      ["resp", this.version],
      ["lib-name", this.libraryName],
      ["lib-ver", this.libraryVersion],
    ];
    return fields.map(([name, value]) => `${name}=${value}`).join(" ");
  }
}

function wholeSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000));
}
