import { Kind } from '../wire/layout.js';
import { Writer } from '../wire/writer.js';

/** One column of a result message: its field and how its buffers are written. */
export interface TestColumn {
  name: string;
  type: string;
  write(writer: Writer): void;
}

const encoder = new TextEncoder();

/** Writes the head of a column and its NULLs. */
export function head(writer: Writer, kind: Kind, nulls?: boolean[]): void {
  writer.u32(kind | (nulls ? 0x100 : 0));
  writer.u32(0);
  if (nulls) writer.bytes(nulls.length).set(nulls.map(Number));
}

export function strings(writer: Writer, values: string[]): void {
  const bytes = encoder.encode(values.join(''));
  writer.u32(bytes.length);
  writer.u32(0);
  writer.u32s(values.length).set(values.map((value) => value.length));
  writer.bytes(bytes.length).set(bytes);
}

/** A message with one result; each block has its own columns, of the same names and types. */
export function message(
  header: object,
  blocks: { rowCount: number; columns: TestColumn[] }[],
): Uint8Array<ArrayBuffer> {
  const fields = (blocks[0]?.columns ?? []).map(({ name, type }) => ({ name, type }));
  const rowCount = blocks.reduce((sum, block) => sum + block.rowCount, 0);
  const json = encoder.encode(
    JSON.stringify({ command: 'SELECT', rowCount, affectedRows: null, seq: null, tookMs: 0.5, fields, ...header }),
  );
  return Writer.write(256, (writer) => {
    writer.u32(1);
    writer.u32(0);
    writer.u32(json.length);
    writer.u32(0);
    writer.bytes(json.length).set(json);
    writer.u32(blocks.length);
    writer.u32(0);
    for (const block of blocks) {
      writer.u32(block.rowCount);
      writer.u32(block.columns.length);
      for (const column of block.columns) column.write(writer);
    }
  });
}

/** A message with one row of one text. */
export function textMessage(text: string): Uint8Array<ArrayBuffer> {
  const write = (writer: Writer): void => {
    head(writer, Kind.Str);
    strings(writer, [text]);
  };
  return message({}, [{ rowCount: 1, columns: [{ name: 'text', type: 'TEXT', write }] }]);
}
