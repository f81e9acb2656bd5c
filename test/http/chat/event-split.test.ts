import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { EventSplitter, eventData } from '../../../src/http/chat/event-split.ts';

const line = fc.stringMatching(/^(data: ?|: |event: )[ -~]{0,8}$/);
const end = fc.constantFrom('\n', '\r\n', '\r');
/** A stream with one kind of line end, and where its packets are cut. */
const stream = fc
  .tuple(fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 6 }), end)
  .map(([events, newline]) => events.map((lines) => lines.join(newline) + newline + newline));

describe('splitting a stream into events', () => {
  it('gives each event whole and every byte once, wherever the packets are cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200), { maxLength: 8 }), fc.string(), (events, cuts, rest) => {
        const tail = rest.replaceAll(/[\r\n]/g, '');
        const bytes = Buffer.from(events.join('') + tail);
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const splitter = new EventSplitter();
        const found = at.slice(1).flatMap((to, i) => splitter.push(bytes.subarray(at[i], to)).map(String));
        expect(found).toEqual(events);
        expect(splitter.rest().toString()).toBe(tail);
      }),
    );
  });

  it('reads the data of an event as a client would', () => {
    const read = (text: string) => eventData(Buffer.from(text));
    expect(read('data: one\n\n')).toBe('one');
    expect(read('data:one\r\ndata:  two\r\n\r\n')).toBe('one\n two');
    expect(read('event: x\ndata: [DONE]\n\n')).toBe('[DONE]');
    expect(read(': comment\n\n')).toBeNull();
  });
});
