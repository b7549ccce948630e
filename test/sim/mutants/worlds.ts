/**
 * The worlds that mutants are hunted in: small, short and rough, each with the faults that one family of bugs needs, so that
 * a bug shows within few seeds. The product as it is must live through the same seeds of each; that is the control.
 */
import type { RunOptions } from "../../../src/sim/run-options.ts";

export type WorldOptions = Partial<Omit<RunOptions, "seed">>;

export interface World {
  readonly options: WorldOptions;
  /** Seeds that are run here for each that is asked for: where they are cheap and bugs are rare. */
  readonly patience: number;
}

const SMALL: WorldOptions = {
  nodes: 5,
  shards: 1,
  clients: 30,
  chaosMs: 15_000,
  storage: "memory",
  swarm: false,
};

export const WORLDS: Readonly<Record<string, World>> = Object.freeze({
  /** Ways break, messages are late and processes stand still; nobody comes or goes. */
  partitions: {
    patience: 1,
    options: {
      ...SMALL,
      chaosMs: 30_000,
      faults: [
        "partition",
        "one-way-partition",
        "bridge-partition",
        "isolation",
        "stream-stall",
        "heavy-tail",
        "pause",
      ],
    },
  },
  /** The same where everybody votes in every group, so that leaders follow one another and logs part often. */
  elections: {
    patience: 1,
    options: {
      ...SMALL,
      shards: 3,
      replicationFactor: 5,
      chaosMs: 40_000,
      faults: ["partition", "bridge-partition", "isolation", "stream-stall", "heavy-tail", "pause"],
    },
  },
  /** Machines come, go and die, so that replicas move all the time; ways break meanwhile. */
  churn: {
    patience: 3,
    options: {
      ...SMALL,
      shards: 6,
      chaosMs: 25_000,
      faults: [
        "join",
        "leave",
        "drain",
        "crash",
        "machine-loss",
        "partition",
        "isolation",
        "stream-stall",
        "pause",
      ],
    },
  },
  /** Replicas move all the time, slowly, and ways break meanwhile. Nobody dies, so nothing waits for the fleet to be whole. */
  moves: {
    patience: 2,
    options: {
      ...SMALL,
      shards: 16,
      clients: 6,
      chaosMs: 25_000,
      faults: ["join", "leave", "drain", "partition", "heavy-tail"],
    },
  },
  /** Clocks are wrong, and leadership moves. */
  clocks: {
    patience: 1,
    options: {
      ...SMALL,
      faults: ["clock-skew", "clock-step", "clock-drift", "isolation", "partition", "heavy-tail", "pause"],
    },
  },
  /** A fleet is founded by machines that hardly hear one another. */
  founding: {
    patience: 10,
    options: {
      ...SMALL,
      nodes: 3,
      chaosMs: 12_000,
      clients: 1,
      faults: [
        "simultaneous-founding",
        "bridge-partition",
        "isolation",
        "stream-stall",
        "heavy-tail",
        "pause",
      ],
    },
  },
  /** Large values and bursts, so that logs are long and what is sent is cut; some machines are new and get all of it. */
  load: {
    patience: 1,
    options: {
      ...SMALL,
      faults: [
        "large-values",
        "overload",
        "join",
        "leave",
        "isolation",
        "stream-reset",
        "heavy-tail",
        "pause",
      ],
    },
  },
  /** What `crema sim run` does by default, shorter: for bugs that need a little of everything. They are rare. */
  everything: {
    patience: 10,
    options: { nodes: 5, shards: 16, clients: 6, chaosMs: 15_000, storage: "either" },
  },
  /** Machines that remember come, die, come back and go; there are few, so that those who are new suffer as often as the others. */
  restarts: {
    patience: 3,
    options: {
      ...SMALL,
      nodes: 3,
      clients: 1,
      chaosMs: 20_000,
      storage: "disk",
      faults: ["crash", "join", "leave", "partition", "pause"],
    },
  },
  /** Nodes live at their limits, and leaders change. Machines come, so that nodes hold different shares. */
  limits: {
    patience: 1,
    options: {
      ...SMALL,
      shards: 8,
      clients: 20,
      limits: "small",
      faults: ["partition", "isolation", "stream-stall", "heavy-tail", "pause", "join", "leave"],
    },
  },
  /** Machines remember, and lose their power before they have written. */
  disks: {
    patience: 1,
    options: {
      ...SMALL,
      nodes: 3,
      storage: "disk",
      faults: [
        "crash",
        "power-loss",
        "slow-disk",
        "lost-writes",
        "torn-write",
        "isolation",
        "heavy-tail",
        "pause",
      ],
    },
  },
});
