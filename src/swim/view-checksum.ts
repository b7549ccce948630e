/**
 * One short text for one view of the group: members that agree on who lives print the same.
 */
import { isLiving, type Member } from "./member.ts";

/** FNV-1a, 32 bit, over the sorted `id:incarnation` of the living, as 8 hexadecimal digits. */
export function viewChecksum(members: readonly Member[]): string {
  const lines = members.filter(isLiving).map((member) => `${member.id}:${member.incarnation}\n`);
  let hash = 0x811c9dc5;
  for (const line of lines.sort()) {
    for (let at = 0; at < line.length; at++) hash = Math.imul(hash ^ line.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
