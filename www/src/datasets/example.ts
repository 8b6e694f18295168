/** What an example is. */

/** A statement to click. */
export interface Example {
  readonly title: string;
  readonly sql: string;
  /** Whether it changes data: then it is only put into the editor, for the reader to run. */
  readonly changesData: boolean;
}
