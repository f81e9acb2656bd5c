import { endianness } from 'node:os';
import { CccError } from '../../base/ccc-error.ts';

/** A vector as it is stored: little-endian 32-bit floats. */
export function bytesOf(vector: Float32Array): Buffer {
  // Every processor that Node 20 has binaries for is little-endian, but s390x.
  if (endianness() !== 'LE') throw new CccError('internal_error', 'Vectors need a little-endian processor.');
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The vector that was stored so. */
export function vectorOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(bytes.byteLength / 4);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}
