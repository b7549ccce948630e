/**
 * What happens to single messages, whoever sends them: a rate each, for a while. Streams lose, double and reorder nothing,
 * as TCP does not; the heavy tail delays them too.
 */
import type { NetworkConditions } from "../virtual-network.ts";
import { drawDurationMs, type Fault, type FaultTools } from "./fault.ts";

type Rate = "lossRate" | "duplicateRate" | "reorderRate" | "tailRate";

const TYPICAL_MS = 4_000;
const LONGEST_MS = 15_000;

function messageFault(kind: Fault["kind"], rate: Rate, most: number): Fault {
  return {
    kind,
    inject(tools) {
      const value = tools.random.nextFloat() * most;
      const durationMs = drawDurationMs(tools.random, TYPICAL_MS, LONGEST_MS);
      setRate(tools, rate, value);
      tools.later(durationMs, () => setRate(tools, rate, 0));
      return `${(value * 100).toFixed(1)} % of messages for ${durationMs.toFixed(0)} ms`;
    },
  };
}

function setRate(tools: FaultTools, rate: Rate, value: number): void {
  const change: Partial<Record<keyof NetworkConditions, number>> = { [rate]: value };
  tools.fleet.network.setConditions(change);
}

export const MESSAGE_FAULTS: readonly Fault[] = Object.freeze([
  messageFault("loss", "lossRate", 0.4),
  messageFault("duplication", "duplicateRate", 0.3),
  messageFault("reordering", "reorderRate", 0.5),
  messageFault("heavy-tail", "tailRate", 0.08),
]);
