/** A database that answers statements from a script and writes them down. */
import type { CatalogSource, Rows } from '../src/tables/catalog-source';

/** Gives the rows of a statement, or throws what it fails with. */
export type Answer = (text: string) => Rows['rows'];

/** A catalog's source without an engine. */
export class FakeDatabase implements CatalogSource {
  /** The text of each call. */
  readonly calls: string[] = [];
  /** Answers without writing anything down. */
  readonly answer: Answer;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  async query(text: string): Promise<Rows> {
    this.calls.push(text);
    return { rows: this.answer(text) };
  }

  async exec(text: string): Promise<readonly Rows[]> {
    this.calls.push(text);
    return text.split('; ').map((statement) => ({ rows: this.answer(statement) }));
  }
}
