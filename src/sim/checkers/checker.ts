/**
 * What every checker has in common. A checker watches all lives of a world from outside, keeps its own idea of what must
 * hold, and reports the first moment at which it does not. It holds one invariant and shares nothing with the others, so
 * that a mistake in one hides nothing from the rest.
 */
import type { HostProbe } from "../../host/probe.ts";
import type { Life } from "../life.ts";

/** A broken promise, found at the event that broke it. */
export interface Finding {
  /** Name of the checker. */
  readonly checker: string;
  /** What must hold and does not, in one sentence. */
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  /** Names of the lives concerned; their last events are printed. */
  readonly lives: readonly string[];
}

/** What a checker is given. */
export interface CheckerContext {
  /** Virtual milliseconds since the beginning of the world. */
  nowMs(): number;
  /** Records a finding; the run ends after this event. Never throws. */
  report(message: string, details: Readonly<Record<string, unknown>>, lives: readonly Life[]): void;
}

/** The methods of the host's probe, with the life in which it happened. */
type Heard = {
  [Name in keyof HostProbe]?: (life: Life, ...heard: Parameters<HostProbe[Name]>) => void;
};

export interface Checker extends Heard {
  /** Kebab-case; the file is called the same. */
  readonly name: string;
  /** A life began. Its replicas are announced by `opened`. */
  started?(life: Life): void;
  /** A life ended: it was killed, lost its power or closed. Its replicas are not announced again. */
  ended?(life: Life): void;
  /** Code of this life has run, and everything it woke has settled. Called after every event, for the lives it touched. */
  after?(life: Life): void;
}
