/**
 * What is counted, for metrics. Totals since the start; they only grow.
 */
export interface SwimCounters {
  /** Datagrams received and accepted. */
  packetsReceived: number;
  packetsSent: number;
  /** Packets and states of another cluster. */
  foreignIgnored: number;
  /** Claims not believed: an absurd incarnation, invalid metadata, or a table full of living members. */
  claimsRefused: number;
  /** Claims to an address that a living member holds, and claims to ours. */
  addressConflicts: number;
  /** Probes that ended without any ack. */
  probesFailed: number;
  /** Times this member had to say that it is alive. */
  refutations: number;
  /** Ping requests not served: too many at a time. */
  relaysRefused: number;
  /** User broadcasts not taken: too many keys. */
  rumoursRefused: number;
  exchangesFailed: number;
  /** Times this member found that it had not been running. */
  pauses: number;
}

export function newSwimCounters(): SwimCounters {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    foreignIgnored: 0,
    claimsRefused: 0,
    addressConflicts: 0,
    probesFailed: 0,
    refutations: 0,
    relaysRefused: 0,
    rumoursRefused: 0,
    exchangesFailed: 0,
    pauses: 0,
  };
}
