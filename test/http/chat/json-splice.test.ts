import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  appendMember,
  applyEdits,
  arraySpans,
  cutMembers,
  insertElement,
  lastMember,
  objectSpans,
} from '../../../src/http/chat/json-splice.ts';

const spans = (json: Buffer) => objectSpans(json) as NonNullable<ReturnType<typeof objectSpans>>;
const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/);
const keys = fc.oneof(fc.constantFrom('session_id', 'covenant', 'messages', '"', '\\', 'a'), fc.string());

/** Any JSON object, written with white space in odd places and with keys that may be escaped in odd ways. */
const objectText = fc
  .array(fc.tuple(keys, fc.json({ depthSize: 'small' }), space, space, fc.boolean()), { maxLength: 8 })
  .map((members) => {
    const written = members.map(([key, value, a, b, escaped]) => {
      const plain = JSON.stringify(key);
      const name = escaped
        ? `"${[...key]
            .flatMap((c) => c.split(''))
            .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            .join('')}"`
        : plain;
      return `${a}${name}${b}:${a}${value}${b}`;
    });
    return { text: ` {${written.join(',')}${written.length ? '' : ' '}}\n`, members };
  });

describe('splicing JSON', () => {
  it('finds each member that JSON.parse finds, with its key and value', () => {
    fc.assert(
      fc.property(objectText, ({ text, members }) => {
        const json = Buffer.from(text);
        const found = spans(json);
        expect(found.members.map((m) => m.key)).toEqual(members.map(([key]) => key));
        found.members.forEach((m, i) => {
          expect(json.toString('utf8', m.valueStart, m.end)).toBe(members[i]![1]);
        });
        expect(json.toString('utf8', found.start, found.end)).toBe(text.trim());
      }),
    );
  });

  it('cutting members and then parsing equals parsing and then deleting', () => {
    fc.assert(
      fc.property(objectText, fc.func(fc.boolean()), ({ text }, unwanted) => {
        const json = Buffer.from(text);
        const cut = applyEdits(json, cutMembers(spans(json), unwanted)).toString();
        const expected = Object.fromEntries(
          Object.entries(JSON.parse(text) as object).filter(([key]) => !unwanted(key)),
        );
        expect(JSON.parse(cut)).toEqual(expected);
      }),
    );
  });

  it('leaves the members that stay byte for byte as they were', () => {
    fc.assert(
      fc.property(objectText, fc.func(fc.boolean()), ({ text }, unwanted) => {
        const json = Buffer.from(text);
        const cut = applyEdits(json, cutMembers(spans(json), unwanted));
        const bytes = (of: Buffer) => spans(of).members.map((m) => of.toString('utf8', m.start, m.end));
        const kept = bytes(json).filter((_, i) => !unwanted(spans(json).members[i]!.key));
        expect(bytes(cut)).toEqual(kept);
      }),
    );
  });

  it('appending a member and then parsing equals parsing and then setting it', () => {
    fc.assert(
      fc.property(objectText, keys, fc.json(), ({ text }, key, value) => {
        const json = Buffer.from(text);
        const added = applyEdits(json, [appendMember(spans(json), key, value)]).toString();
        const expected = new Map(Object.entries(JSON.parse(text) as object));
        expected.set(key, JSON.parse(value));
        expect(new Map(Object.entries(JSON.parse(added) as object))).toEqual(expected);
      }),
    );
  });

  it('inserting an element and then parsing equals parsing and then splicing', () => {
    const arrays = fc
      .array(fc.tuple(fc.json(), space, space), { maxLength: 6 })
      .map((items) => `{"messages" : [${items.map(([v, a, b]) => a + v + b).join(',') || ' '}] }`);
    fc.assert(
      fc.property(arrays, fc.nat(7), fc.json(), (text, index, value) => {
        const json = Buffer.from(text);
        const array = arraySpans(json, lastMember(spans(json), 'messages')!.valueStart)!;
        const edited = applyEdits(json, [insertElement(array, index, value)]).toString();
        const expected = (JSON.parse(text) as { messages: unknown[] }).messages;
        expected.splice(index, 0, JSON.parse(value));
        expect((JSON.parse(edited) as { messages: unknown[] }).messages).toEqual(expected);
      }),
    );
  });

  it('keeps what JSON.parse and JSON.stringify would lose', () => {
    const text =
      '{"seed":12345678901234567890,"session_id":"s","temperature":1.0,"x":1,"x":2,"\\u0073ession_id":3,"e":1E+2}';
    const json = Buffer.from(text);
    expect(
      applyEdits(
        json,
        cutMembers(spans(json), (k) => k === 'session_id'),
      ).toString(),
    ).toBe('{"seed":12345678901234567890,"temperature":1.0,"x":1,"x":2,"e":1E+2}');
  });

  it('scans twenty megabytes of nested data without recursion and in good time', () => {
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"b":"${'\\"'.repeat(9_000_000)}"}`;
    const began = performance.now();
    expect(spans(Buffer.from(deep)).members.map((m) => m.key)).toEqual(['a', 'b']);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('takes only an object for an object and only an array for an array', () => {
    expect(objectSpans(Buffer.from('[1]'))).toBeNull();
    expect(objectSpans(Buffer.from(''))).toBeNull();
    expect(arraySpans(Buffer.from('{"a":1}'), 0)).toBeNull();
  });
});
