import { deflateSync, inflateSync } from 'node:zlib';

/** Colours of a small picture. A page has few of its own; the rest are the soft edges of letters. */
const COLOURS = 64;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The same picture with a palette: a third of the size, and no difference that the eye would see on text. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, pixels, channels } = decode(png);
  const colours = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = colourAt(pixels, at);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  const palette = choose(colours);
  const nearest = new Map([...colours.keys()].map((colour) => [colour, nearestOf(palette, colour)]));
  const lines = Buffer.alloc(height * (width + 1));
  for (let y = 0, from = 0, to = 0; y < height; y++) {
    lines[to++] = 0;
    for (let x = 0; x < width; x++, from += channels) lines[to++] = nearest.get(colourAt(pixels, from)) ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    part('IHDR', header),
    part('PLTE', Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))),
    part('IDAT', deflateSync(lines, { level: 9 })),
    part('IEND', Buffer.alloc(0)),
  ]);
}

function colourAt(pixels: Buffer, at: number): number {
  return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
}

/** A colour with this share of the picture is a ground or a line and is kept as it is. */
const GROUND = 1 / 4_000;

/** The grounds, then the most frequent colours that are not almost the same as one that is taken already. */
function choose(colours: Map<number, number>): number[] {
  const all = [...colours.values()].reduce((sum, pixels) => sum + pixels, 0);
  const sorted = [...colours].sort((a, b) => b[1] - a[1]);
  const byFrequency = sorted.map(([colour]) => colour);
  const taken = sorted
    .filter(([, pixels]) => pixels > all * GROUND)
    .slice(0, COLOURS / 2)
    .map(([colour]) => colour);
  for (const least of [24, 12, 4, 1]) {
    for (const colour of byFrequency) {
      if (taken.length === COLOURS) return taken;
      if (taken.every((other) => distance(other, colour) >= least ** 2)) taken.push(colour);
    }
  }
  return taken;
}

function nearestOf(palette: number[], colour: number): number {
  let best = 0;
  for (const [at, other] of palette.entries()) {
    if (distance(other, colour) < distance(palette[best] ?? 0, colour)) best = at;
  }
  return best;
}

function distance(a: number, b: number): number {
  return (
    ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2
  );
}

/** What Chromium's screenshots are: eight bits, RGB or RGBA, not interlaced (PNG, third edition, 7 and 9). */
function decode(png: Buffer): { width: number; height: number; pixels: Buffer; channels: number } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = { 2: 3, 6: 4 }[png[25] ?? 0];
  if (png[24] !== 8 || channels === undefined || png[28] !== 0) throw new Error('Not a screenshot.');
  const data: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const lines = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const to = y * stride + x;
      const left = x < channels ? 0 : (pixels[to - channels] ?? 0);
      const up = y === 0 ? 0 : (pixels[to - stride] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (pixels[to - stride - channels] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      pixels[to] = ((lines[y * (stride + 1) + 1 + x] ?? 0) + guess) & 255;
    }
  }
  return { width, height, pixels, channels };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

const CRC = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function part(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  let crc = 0xffffffff;
  for (const byte of body) crc = (CRC[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, sum]);
}
