/**
 * The tables of cyclic redundancy checks of 32 bits, reflected, some bytes at a time ("slicing").
 */

/** `slices` tables of 256: what a byte does when 0, 1, 2, ... bytes follow it in the same step. */
export function crcTables(polynomialReflected: number, slices: number): Int32Array {
  const tables = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomialReflected : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256] as number;
    tables[at] = (tables[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return tables;
}
