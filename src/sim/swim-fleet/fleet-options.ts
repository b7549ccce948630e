/**
 * Every knob of a simulated fleet, with unit and default. None of them depends on the machine.
 */
import type { SwimOptions } from "../../swim/options.ts";

/** The seed, the cores' options, and how the network between them behaves. */
export interface SwimFleetOptions {
  /** 0 .. 2^64-1; one seed, one history. */
  readonly seed: bigint;
  /** Changes to the `lan` preset. */
  readonly swim: Partial<SwimOptions>;
  /** One way, in milliseconds. Default 0.5. */
  readonly delayMs: number;
  /** Added to the delay, uniform in [0, jitterMs). Default 0.5. */
  readonly jitterMs: number;
  /** Share of datagrams that vanish, 0 .. 1. Default 0. */
  readonly lossRate: number;
  /** False: accusations that lead a ping or an ack are taken out on the way. Default true. @see Lifeguard §IV-C */
  readonly buddySystem: boolean;
  /** Items that wait for a slow member; what exceeds them is lost, as in a full socket buffer. Default 4096. */
  readonly inboxMax: number;
}

/** A quick and lossless network. */
export const DEFAULT_FLEET_OPTIONS: SwimFleetOptions = Object.freeze({
  seed: 1n,
  swim: Object.freeze({}),
  delayMs: 0.5,
  jitterMs: 0.5,
  lossRate: 0,
  buddySystem: true,
  inboxMax: 4_096,
});
