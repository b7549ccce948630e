/**
 * Every hard limit of the product in one place, each with its unit. `docs/limits.md` explains them.
 */

/** A key has 1 .. 65,535 bytes. */
export const KEY_BYTES_MAX = 65_535;
/** A value has 0 .. 16 MiB. */
export const VALUE_BYTES_MAX = 16 * 1024 * 1024;
/** Keys and values of one command or query together, and the values of one answer: they must fit a frame with room to spare. */
export const COMMAND_BYTES_MAX = 24 * 1024 * 1024;
/** A frame on a peer link, header included. A larger one closes the link. */
export const FRAME_BYTES_MAX = 32 * 1024 * 1024;
/** Member metadata in gossip. */
export const MEMBER_META_BYTES_MAX = 512;
export const REPLICATION_FACTOR_MAX = 7;
/** Voters of the system group. */
export const SYSTEM_VOTERS_MAX = 5;
/** Earlier lives of one node id that it names when it comes back; the oldest are forgotten first. */
export const FORMER_BOOTS_MAX = 64;
/** Members a cluster map can list, dead ones included. */
export const MEMBERS_MAX = 4_096;
/** Ids of removed members that a cluster map remembers; older ones are forgotten. */
export const REMOVED_MEMBERS_MAX = 1_024;
