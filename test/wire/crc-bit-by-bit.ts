/** A reflected CRC of 32 bits by its definition, one bit at a time. */
export function crcBitByBit(polynomialReflected: number, bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomialReflected : crc >>> 1;
  }
  return ~crc >>> 0;
}
