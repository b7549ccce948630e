/**
 * Load for etcd: so many clients, each with one call under way, on a few connections to every endpoint.
 */
import type { Buffer } from "node:buffer";
import { type EtcdWork, KEY_COUNT, keyText, scattered, valueText } from "../job.ts";
import type { Tally } from "../tally.ts";
import { explainFailure } from "./etcd-call.ts";
import {
  grpcMessage,
  hasField,
  PUT_PATH,
  putRequest,
  RANGE_PATH,
  rangeRequest,
  TXN_PATH,
  txnRequest,
} from "./etcd-messages.ts";
import { Http2Connection } from "./http2-connection.ts";
import type { Load } from "./load.ts";

/** Their calls share a connection, as those of one program do. */
const CLIENTS_PER_CONNECTION = 32;
/** etcd takes 128 operations in a transaction. */
const PUTS_PER_TXN = 100;
const PREFILL_CLIENTS = 4;
/** `RangeResponse.kvs`. */
const KEY_VALUES_FIELD = 2;

export class EtcdLoad implements Load {
  readonly finished: Promise<void>;
  readonly #connections: readonly Http2Connection[];
  readonly #path: string;
  readonly #requests: readonly Buffer[];
  readonly #once: boolean;
  readonly #tally: Tally;
  #next = 0;
  #underWay = 0;
  #stopping = false;
  #finish: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  /** `once`: all keys are put once, many in a call, then the load ends by itself. */
  constructor(work: EtcdWork, ports: readonly number[], tally: Tally, once: boolean) {
    this.#tally = tally;
    this.#once = once;
    this.#path = once ? TXN_PATH : work.command === "put" ? PUT_PATH : RANGE_PATH;
    this.#requests = requestsOf(once ? "txn" : work.command);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    const clients = once ? PREFILL_CLIENTS : work.clients;
    // A single client has one connection; more reach every endpoint.
    const count = Math.min(clients, Math.max(ports.length, Math.ceil(clients / CLIENTS_PER_CONNECTION)));
    this.#connections = Array.from(
      { length: count },
      (_, at) =>
        new Http2Connection(ports[at % ports.length] as number, this.#path, (error) => this.#fail(error)),
    );
    for (let client = 0; client < clients; client++) {
      const at = client % count;
      this.#call(this.#connections[at] as Http2Connection, ports[at % ports.length] as number);
    }
  }

  stop(): void {
    this.#stopping = true;
  }

  destroy(): void {
    this.#stopping = true;
    this.#finish();
    for (const connection of this.#connections) connection.close();
  }

  #call(connection: Http2Connection, port: number): void {
    if (this.#next === this.#requests.length) {
      if (this.#once) this.#stopping = true;
      this.#next = 0;
    }
    if (this.#stopping) {
      if (this.#underWay === 0) this.destroy();
      return;
    }
    const request = this.#requests[this.#next++] as Buffer;
    const sentAtMs = performance.now();
    this.#underWay++;
    connection.call(request, (bytes, start, end) => {
      this.#underWay--;
      if (end === 0) {
        explainFailure(port, this.#path, request).catch(this.#fail);
        return;
      }
      if (this.#path === RANGE_PATH && !hasField(bytes, start, end, KEY_VALUES_FIELD)) {
        this.#fail(new Error("etcd does not find a key that was put"));
        return;
      }
      this.#tally.succeeded(performance.now() - sentAtMs, 1);
      this.#call(connection, port);
    });
  }
}

function requestsOf(command: EtcdWork["command"] | "txn"): readonly Buffer[] {
  const numbers = Array.from({ length: KEY_COUNT }, (_, position) => scattered(position));
  if (command === "range") return numbers.map((number) => grpcMessage(rangeRequest(keyText(number))));
  const puts = numbers.map((number) => putRequest(keyText(number), valueText(number)));
  if (command === "put") return puts.map(grpcMessage);
  return Array.from({ length: Math.ceil(KEY_COUNT / PUTS_PER_TXN) }, (_, at) =>
    grpcMessage(txnRequest(puts.slice(at * PUTS_PER_TXN, (at + 1) * PUTS_PER_TXN))),
  );
}
