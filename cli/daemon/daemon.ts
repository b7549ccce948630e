/**
 * The life of one `crema-node` process: open, say so, serve, leave in order, exit.
 * Exit codes: 0 left as told, 1 failed or told twice, 2 asked for something impossible.
 */
import {
  CremaError,
  CremaNode,
  describeEvent,
  formatAddress,
  type NodeEvent,
  type OpenHooks,
} from "../../src/index.ts";
import { eventLevel } from "../event-level.ts";
import { HeapGrowth } from "./heap-growth.ts";
import { inlineMore } from "./inlining.ts";
import { type Logger, openLog } from "./log.ts";
import { READY_MESSAGE } from "./ready-line.ts";
import type { DaemonSettings } from "./settings.ts";

/** Runs a node until a signal ends it. Never returns normally: the process ends with an exit code. */
export async function runDaemon(settings: DaemonSettings): Promise<never> {
  const log = openLog(settings.logFormat, settings.logLevel);
  for (const warning of settings.warnings) log.warn(warning);
  const die = (error: unknown): never => {
    log.fatal(errorFields(error), "crema-node failed");
    process.exit(1);
  };
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);

  inlineMore();
  new HeapGrowth().watch();
  const stop = new StopRequest(log);
  stop.watchSignals();
  if (settings.exitWithParent) stop.watchParent();

  const { seeds } = settings.node;
  log.info(
    seeds === undefined || seeds.length === 0
      ? "starting without seeds"
      : `starting with seeds ${seeds.join(", ")}`,
  );
  const onEvent = (event: NodeEvent): void => {
    log[eventLevel(event)]({ event: event.type }, describeEvent(event));
    // Told to leave through another door than a signal: once it has left, there is nothing to run for.
    if (event.type === "leaving") stop.request();
  };
  const onLog: OpenHooks["onLog"] = (level, message) => log[level](message);
  const onFatal: OpenHooks["onFatal"] = (error) => {
    log.fatal(errorFields(error), `crema-node cannot go on: ${error.message}`);
    process.exit(1);
  };
  const opening = CremaNode.open(settings.node, { onEvent, onLog, onFatal }).catch((error: unknown) => {
    log.fatal(errorFields(error), startFailure(error));
    process.exit(error instanceof CremaError && error.code === "CREMA_INSECURE_HOST" ? 2 : 1);
  });
  const node = await Promise.race([opening, stop.requested]);
  if (node === undefined) {
    log.info("stopped before it became a member");
    process.exit(0);
  }
  announce(log, node);
  await stop.requested;
  try {
    await node.stop();
  } catch (error) {
    log.error(errorFields(error), "could not stop in order");
    process.exit(1);
  }
  log.info("stopped");
  process.exit(0);
}

/** Tells once that the node shall stop; a second signal ends the process at once. */
class StopRequest {
  readonly requested: Promise<void>;
  readonly #log: Logger;
  #resolve: () => void = () => {};
  #signalled = false;

  constructor(log: Logger) {
    this.#log = log;
    this.requested = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  watchSignals(): void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (this.#signalled) {
          this.#log.warn(`${signal} again: stopping at once`);
          process.exit(1);
        }
        this.#signalled = true;
        this.#log.info(`${signal}: stopping in order; once more stops at once`);
        this.request();
      });
    }
  }

  request(): void {
    this.#resolve();
  }

  /** Nobody is left who could look after this process: no time for manners. */
  watchParent(): void {
    if (!process.connected) {
      this.#log.warn("--exit-with-parent has no effect: this process was not started over an IPC channel");
      return;
    }
    process.on("disconnect", () => {
      this.#log.warn("the starting process is gone: stopping at once");
      process.exit(1);
    });
  }
}

function announce(log: Logger, node: CremaNode): void {
  const line = {
    nodeId: node.nodeId,
    clusterId: node.clusterId,
    cluster: formatAddress(node.clusterAddress),
    resp: node.respAddress === null ? null : formatAddress(node.respAddress),
    http: node.httpAddress === null ? null : formatAddress(node.httpAddress),
  };
  log.info(line, READY_MESSAGE);
}

function startFailure(error: unknown): string {
  return `crema-node cannot start: ${error instanceof Error ? error.message : String(error)}`;
}

function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof CremaError) return { code: error.code };
  return { err: error };
}
