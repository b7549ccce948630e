/**
 * A fleet that is complete from the first moment. A thousand members that join one by one spend a virtual minute, and
 * most of a run's time, on telling each other of each other; experiments begin after that.
 * What is left out: the news of the founding. Members know each other, have nothing to say, and probe in random phases.
 */
import { assert } from "../../base/assert.ts";
import type { MemberRecord, SwimMessage } from "../../swim/messages.ts";
import type { FleetMember } from "./fleet-member.ts";
import type { SwimFleetOptions } from "./fleet-options.ts";
import { SwimFleet } from "./swim-fleet.ts";

/** Claims of 1,000 members, sent 16 times each, take some 700 packets; far more means that nothing goes out. */
const PACKETS_MAX = 100_000;

/** `count` members who all know each other and are quiet. Costs no virtual time. */
export function formedFleet(count: number, options: Partial<SwimFleetOptions> = {}): SwimFleet {
  assert(count >= 2, "a fleet has two members at least", { count });
  const fleet = new SwimFleet(options);
  const members = Array.from({ length: count }, () => fleet.start());
  const records = members.map(
    ({ swim }): MemberRecord => ({
      meta: swim.self.meta,
      state: "alive",
      incarnation: swim.self.incarnation,
    }),
  );
  for (const [at, member] of members.entries()) {
    const other = members[(at + 1) % count] as FleetMember;
    introduce(fleet, member, other, records);
  }
  return fleet;
}

/** As if `member` had exchanged state with `other` long ago, and had passed on all that it learnt. */
function introduce(
  fleet: SwimFleet,
  member: FleetMember,
  other: FleetMember,
  records: readonly MemberRecord[],
): void {
  const { swim } = member;
  swim.mergeState(fleet.nowMs, other.address, {
    sender: other.id,
    clusterId: null,
    members: records,
    rumours: [],
  });
  swim.takeOutput();
  // Every ack carries what there is to say; when one carries nothing, all has been said.
  const ping: SwimMessage = { type: "ping", sequence: 0, target: member.id };
  const packet = { sender: other.id, clusterId: null, messages: [ping] };
  for (let sent = 0; ; sent++) {
    assert(sent < PACKETS_MAX, "news is sent a bounded number of times");
    swim.receive(fleet.nowMs, other.address, packet);
    const said = swim.takeOutput().datagrams.some((datagram) => datagram.packet.messages.length > 1);
    if (!said) break;
  }
  // It has somebody to probe now: let the fleet see when.
  fleet.act(member, () => {});
}
