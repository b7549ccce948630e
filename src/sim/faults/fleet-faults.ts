/**
 * What people and autoscalers do to a fleet: machines are added, several at a time, and told to go, by signal or by
 * command. None of it is an accident, so none of it may cost anything.
 */
import { CremaError } from "../../base/errors.ts";
import type { FleetLife } from "../fleet.ts";
import { drawLife, type Fault, type FaultTools, isUp } from "./fault.ts";

const JOIN_AT_ONCE_MAX = 3;
/** Machines beyond the usual number, at most. */
const SURPLUS_MAX = 3;
const DRAIN_TIMEOUT_MS = 5_000;
/** An autoscaler notices that a machine is missing. */
const REPLACED_WITHIN_MS = 5_000;

/** All start at about the same time, whoever begins the run sees to that. */
const founding: Fault = {
  kind: "simultaneous-founding",
  begin: (tools) => tools.count("simultaneous-founding"),
};

const join: Fault = {
  kind: "join",
  inject(tools) {
    const { fleet, random } = tools;
    const room = tools.nodes + SURPLUS_MAX - fleet.lives.length;
    const count = Math.min(room, random.nextBetween(1, JOIN_AT_ONCE_MAX));
    if (count < 1 || fleet.members.length === 0) return null;
    const names = Array.from({ length: count }, () => {
      const machine = fleet.addMachine();
      return fleet.boot(machine, tools.seedsFor(machine)).name;
    });
    return names.join(", ");
  },
};

/** A member may go while enough members stay to hold every replica. */
function mayShrink(tools: FaultTools): boolean {
  return tools.fleet.members.length > Math.max(tools.replicationFactor, tools.nodes - 1);
}

function isMember(life: FleetLife): boolean {
  return isUp(life) && life.node.control.isListed;
}

/** The fleet is brought back to its usual number before long. */
function replaceLater(tools: FaultTools): void {
  tools.later(tools.random.nextFloat() * REPLACED_WITHIN_MS, () => {
    if (tools.fleet.staying >= tools.nodes) return;
    const machine = tools.fleet.addMachine();
    tools.fleet.boot(machine, tools.seedsFor(machine));
  });
}

const leave: Fault = {
  kind: "leave",
  inject(tools) {
    const told: string[] = [];
    for (let count = tools.random.nextBetween(1, 2); count > 0 && mayShrink(tools); count--) {
      const life = drawLife(tools, isMember);
      if (life === null) break;
      void tools.fleet.leave(life);
      replaceLater(tools);
      told.push(life.name);
    }
    return told.length === 0 ? null : told.join(", ");
  },
};

const drain: Fault = {
  kind: "drain",
  inject(tools) {
    if (!mayShrink(tools)) return null;
    const life = drawLife(tools, isMember);
    const via = drawLife(tools, isMember);
    if (life === null || via === null || via === life) return null;
    via.node.control.drain(life.node.nodeId, DRAIN_TIMEOUT_MS).catch((error: unknown) => {
      // Nobody could be found who leads the system group: the machine stays.
      if (!(error instanceof CremaError)) throw error;
    });
    replaceLater(tools);
    return `${life.name}, asked through ${via.name}`;
  },
};

export const FLEET_FAULTS: readonly Fault[] = Object.freeze([founding, join, leave, drain]);
