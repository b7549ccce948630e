/**
 * Looks at LevelDB's write-ahead log before LevelDB does. LevelDB drops what does not match its checksum and goes on behind
 * it, without a word: right for a write that was torn by a crash, wrong for one that was confirmed and damaged later. The two
 * can be told apart: the store has one write under way at a time, so nothing that begins behind a torn write was ever written.
 * A sound beginning of a record behind damage therefore proves that the damaged one had been confirmed.
 *
 * What cannot be told apart from a torn write is damage to the very last record.
 *
 * Layout: blocks of 32 KiB, filled with fragments; a fragment is u32 masked CRC-32C of type and data, u16 length, u8 type
 * (1 a whole record, 2 its first part, 3 a middle one, 4 the last), data; little-endian. @see LevelDB doc/log_format.md
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c } from "../wire/crc32c.ts";

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
const MASK_DELTA = 0xa282_ead8;

/** What is damaged, with file and byte, for people; null when nothing is, or nothing but what a crash may tear. */
export async function writeAheadDamage(directory: string): Promise<string | null> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".log")).sort();
  for (const file of files) {
    const damage = damageIn(await readFile(join(directory, file)));
    if (damage !== null)
      return `${join(directory, file)}: a record at byte ${damage.at} is damaged, and records follow it (at byte ${damage.soundAt})`;
  }
  return null;
}

/** Where the first damage is that sound records follow. */
export function damageIn(log: Uint8Array): { readonly at: number; readonly soundAt: number } | null {
  let at = 0;
  while (at + HEADER_BYTES <= log.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const length = fragmentLength(log, at, left);
    if (length === null) {
      const soundAt = nextBeginning(log, at + 1);
      return soundAt === null ? null : { at, soundAt };
    }
    at += HEADER_BYTES + length;
  }
  return null;
}

/** The first place from `from` on where a sound record begins. */
function nextBeginning(log: Uint8Array, from: number): number | null {
  for (let at = from; at + HEADER_BYTES <= log.length; at++) {
    const type = log[at + 6];
    if (type !== FULL && type !== FIRST) continue;
    if (fragmentLength(log, at, BLOCK_BYTES - (at % BLOCK_BYTES)) !== null) return at;
  }
  return null;
}

/** Bytes of the data of the sound fragment at `at`, of whose block `left` bytes are left; null when it is not sound. */
function fragmentLength(log: Uint8Array, at: number, left: number): number | null {
  const view = new DataView(log.buffer, log.byteOffset + at);
  const length = view.getUint16(4, true);
  const type = view.getUint8(6);
  if (type < FULL || type > LAST || HEADER_BYTES + length > left) return null;
  if (at + HEADER_BYTES + length > log.length) return null;
  const checksum = crc32c(log.subarray(at + 6, at + HEADER_BYTES + length));
  return view.getUint32(0, true) === masked(checksum) ? length : null;
}

/** LevelDB stores checksums rotated and shifted, because a checksum of bytes that hold checksums is worth little. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + MASK_DELTA) >>> 0;
}
