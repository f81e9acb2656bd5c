import { endianness } from 'node:os';
import { CccError } from '../../base/ccc-error.ts';

/** A vector as it is stored: little-endian 32-bit floats. */
export function bytesOf(vector: Float32Array): Buffer {
  // Every processor that Node 20 has binaries for is little-endian, but s390x.
  if (endianness() !== 'LE') throw new CccError('internal_error', 'Vectors need a little-endian processor.');
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}
