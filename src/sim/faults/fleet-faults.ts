/**
 * What people and autoscalers do to a fleet: machines are added, several at a time, and told to go, by signal or by
 * command. None of it is an accident, so none of it may cost anything.
 */
import { CremaError } from "../../base/errors.ts";
import { drawLife, type Fault, type FaultTools } from "./fault.ts";

const JOIN_AT_ONCE_MAX = 3;
/** Machines beyond the usual number, at most. */
const SURPLUS_MAX = 3;
const DRAIN_TIMEOUT_MS = 5_000;

const founding: Fault = { kind: "simultaneous-founding" };

const join: Fault = {
  kind: "join",
  inject(tools) {
    const { fleet, random } = tools;
    const room = tools.nodes + SURPLUS_MAX - fleet.lives.length;
    const count = Math.min(room, random.nextBetween(1, JOIN_AT_ONCE_MAX));
    if (count < 1 || fleet.lives.length === 0) return null;
    const names = Array.from({ length: count }, () => {
      const machine = fleet.addMachine();
      return fleet.boot(machine, tools.seedsFor(machine)).name;
    });
    return names.join(", ");
  },
};

/** One may go while enough stay to hold every replica. */
function mayShrink(tools: FaultTools): boolean {
  const staying = tools.fleet.lives.filter(({ leaving }) => !leaving).length;
  return staying > Math.max(tools.replicationFactor, tools.nodes - 1);
}

const leave: Fault = {
  kind: "leave",
  inject(tools) {
    const told: string[] = [];
    for (let count = tools.random.nextBetween(1, 2); count > 0 && mayShrink(tools); count--) {
      const life = drawLife(tools);
      if (life === null) break;
      life.host.lost = true;
      void tools.fleet.leave(life);
      told.push(life.name);
    }
    return told.length === 0 ? null : told.join(", ");
  },
};

const drain: Fault = {
  kind: "drain",
  inject(tools) {
    if (!mayShrink(tools)) return null;
    const life = drawLife(tools, ({ node, leaving, process }) => process.running && !leaving && node.control.isListed);
    const via = drawLife(tools);
    if (life === null || via === null || via === life) return null;
    life.host.lost = true;
    via.node.control.drain(life.node.nodeId, DRAIN_TIMEOUT_MS).catch((error: unknown) => {
      // Nobody could be found who leads the system group: the machine stays.
      if (!(error instanceof CremaError)) throw error;
      life.host.lost = false;
    });
    return `${life.name}, asked through ${via.name}`;
  },
};

export const FLEET_FAULTS: readonly Fault[] = Object.freeze([founding, join, leave, drain]);
