/**
 * What happened on the links of one node since it started, for metrics. Each number only grows.
 */

export interface LinkCounters {
  framesSent: number;
  framesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  /** Calls of `Connection.write`: frames per write tells how well turns are batched. */
  writes: number;
  /** Raft and watch frames not sent because too much waited for the peer. */
  framesDropped: number;
  /** Other frames not sent for that reason: their senders were told. */
  framesRefused: number;
  /** Connections closed because of bytes that are not our protocol. */
  malformed: number;
  /** Incoming connections closed because too many were in their handshake. */
  handshakesOverflowed: number;
  /** Handshakes that did not finish in time, either end. */
  handshakesTimedOut: number;
  /** Handshakes refused, by this node or to this node. */
  handshakesRefused: number;
  dials: number;
  dialsFailed: number;
  /** Established links that broke without a goodbye. */
  linksLost: number;
  /** Links closed because nothing came from them any more. */
  linksSilent: number;
}

export function newLinkCounters(): LinkCounters {
  return {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    writes: 0,
    framesDropped: 0,
    framesRefused: 0,
    malformed: 0,
    handshakesOverflowed: 0,
    handshakesTimedOut: 0,
    handshakesRefused: 0,
    dials: 0,
    dialsFailed: 0,
    linksLost: 0,
    linksSilent: 0,
  };
}
