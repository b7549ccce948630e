import { describe, expect, it } from "vitest";
import { unwarned } from "../../../src/sim/swim-fleet/unwarned.ts";
import type { SwimMessage } from "../../../src/swim/messages.ts";
import { idOf } from "../../swim/virtual-network.ts";

const suspect: SwimMessage = { type: "suspect", member: idOf(2), incarnation: 0, accuser: idOf(1) };
const ping: SwimMessage = { type: "ping", sequence: 7, target: idOf(2) };
const ack: SwimMessage = { type: "ack", sequence: 7, member: idOf(1) };

describe("a packet without the buddy system", () => {
  it.each<[string, readonly SwimMessage[], readonly SwimMessage[]]>([
    ["loses the accusation before a ping", [suspect, ping], [ping]],
    ["loses the accusation before an ack", [suspect, ack, suspect], [ack, suspect]],
    ["keeps the gossip behind a ping", [ping, suspect], [ping, suspect]],
    ["keeps gossip that leads to nothing", [suspect], [suspect]],
  ])("%s", (_claim, messages, left) => {
    expect(unwarned({ sender: idOf(1), clusterId: null, messages }).messages).toEqual(left);
  });
});
