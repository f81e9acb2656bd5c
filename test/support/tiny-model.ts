import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes a real, tiny embedding model in the form of the hub: a word-level tokenizer and an ONNX graph of one `Gather`
 * over a table of word vectors, put down byte by byte. Words of one line of `meanings` have the same vector, each line
 * its own direction; all other words have none. So "automobile" is near "car" and far from "kitten".
 */
export function writeTinyModel(folder: string, model: string, meanings: string[][], dimension = 8): void {
  const path = join(folder, ...model.split('/'));
  mkdirSync(join(path, 'onnx'), { recursive: true });
  const words = ['[PAD]', '[UNK]', ...meanings.flat()];
  const table = new Float32Array(words.length * dimension);
  meanings.forEach((line, meaning) => {
    for (const word of line) table[words.indexOf(word) * dimension + (meaning % dimension)] = 1;
  });
  const json = (name: string, value: unknown) => {
    writeFileSync(join(path, name), JSON.stringify(value));
  };
  json('config.json', { model_type: 'bert', architectures: ['BertModel'], hidden_size: dimension });
  json('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    unk_token: '[UNK]',
    pad_token: '[PAD]',
    model_max_length: 64,
  });
  json('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [0, 1].map((id) => ({
      id,
      content: words[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  });
  writeFileSync(join(path, 'onnx', 'model_quantized.onnx'), onnxOfGather(table, words.length, dimension));
}

/** ONNX's numbers for the types of elements. */
const FLOAT = 1;
const INT64 = 7;

/** A graph that turns `input_ids` into `last_hidden_state` by looking each id up in the table. */
function onnxOfGather(table: Float32Array, rows: number, dimension: number): Buffer {
  const node = message(
    text(1, 'table'),
    text(1, 'input_ids'),
    text(2, 'last_hidden_state'),
    text(4, 'Gather'),
  );
  const initializer = message(
    number(1, rows),
    number(1, dimension),
    number(2, FLOAT),
    text(8, 'table'),
    bytes(9, Buffer.from(table.buffer)),
  );
  const graph = message(
    bytes(1, node),
    text(2, 'tiny'),
    bytes(5, initializer),
    bytes(11, tensorInfo('input_ids', INT64, ['batch', 'sequence'])),
    bytes(12, tensorInfo('last_hidden_state', FLOAT, ['batch', 'sequence', dimension])),
  );
  // IR version 8, operators of version 13 of the default domain.
  return message(number(1, 8), bytes(7, graph), bytes(8, message(text(1, ''), number(2, 13))));
}

function tensorInfo(name: string, type: number, shape: (string | number)[]): Buffer {
  const dims = shape.map((size) =>
    bytes(1, message(typeof size === 'string' ? text(2, size) : number(1, size))),
  );
  return message(
    text(1, name),
    bytes(2, message(bytes(1, message(number(1, type), bytes(2, message(...dims)))))),
  );
}

// Protocol buffers: a field is its number and kind, then its value.

function message(...fields: Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Buffer.from([...out, rest]);
}
