/**
 * Which nodes vote in the system group, the one that owns the cluster map: few enough to agree quickly, enough to
 * survive failures, spread over zones.
 */
import type { NodeId } from "../base/ids.ts";
import { type PlacementMember, sortedMembers } from "./placement-member.ts";
import { withUnavailable } from "./unavailable-replicas.ts";

/** 1 of 1, 2 of 2, 3 of 3 or 4, 5 of 5 and more. */
export function systemVoterTarget(members: number): number {
  if (members <= 2) return members;
  return members < 5 ? 3 : 5;
}

/** So many voters that live bear the loss of one more, as four living of five do. */
const ENOUGH_ALIVE = 3;

/**
 * Plans the voters. Current ones stay, except where another choice spreads better over zones; draining ones go. Dead voters count as
 * members as long as nobody can replace them, so that a failure never makes the group weaker. Where three live or more it does not:
 * four of five bear one more loss, and so do three of three, without naming a machine that may never come back.
 */
export function planSystemVoters(members: readonly PlacementMember[], current: readonly NodeId[]): NodeId[] {
  const sorted = sortedMembers(members);
  const alive = sorted.filter(({ state }) => state === "alive");
  const known = [...new Set(current)];
  if (alive.length === 0) return known.filter((id) => sorted.some((member) => member.id === id));
  const deadVoters = known.filter((id) =>
    sorted.some((member) => member.id === id && member.state === "dead"),
  );
  const counted = alive.length >= ENOUGH_ALIVE ? alive.length : alive.length + deadVoters.length;
  const target = systemVoterTarget(counted);

  const voters = known.flatMap((id) => alive.find((member) => member.id === id) ?? []);
  while (voters.length > target) voters.splice(lastOfFullestZone(voters), 1);
  while (voters.length < target) {
    const spare = spareOfEmptiestZone(alive, voters);
    if (spare === undefined) break;
    voters.push(spare);
  }
  // Each exchange makes the zones strictly more even, so this ends: there are at most five voters.
  for (let exchange = 0; exchange < target; exchange++) {
    const leaving = lastOfFullestZone(voters);
    const spare = spareOfEmptiestZone(alive, voters);
    if (spare === undefined || inZone(voters, spare.zone) + 1 >= inZone(voters, voters[leaving]?.zone ?? ""))
      break;
    voters.splice(leaving, 1);
    voters.push(spare);
  }
  return withUnavailable(
    voters.map(({ id }) => id),
    known,
    sorted,
    target,
  );
}

function inZone(voters: readonly PlacementMember[], zone: string): number {
  let count = 0;
  for (const voter of voters) if (voter.zone === zone) count++;
  return count;
}

/** Position of the last voter of the zone that has most of them; -1 without voters. */
function lastOfFullestZone(voters: readonly PlacementMember[]): number {
  let fullest = -1;
  let most = 0;
  for (const [at, { zone }] of voters.entries()) {
    const count = inZone(voters, zone);
    if (count < most) continue;
    fullest = at;
    most = count;
  }
  return fullest;
}

/** The member of lowest id that is no voter, in the zone that has fewest of them. */
function spareOfEmptiestZone(
  alive: readonly PlacementMember[],
  voters: readonly PlacementMember[],
): PlacementMember | undefined {
  let best: PlacementMember | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const member of alive) {
    if (voters.includes(member)) continue;
    const count = inZone(voters, member.zone);
    if (count >= fewest) continue;
    best = member;
    fewest = count;
  }
  return best;
}
