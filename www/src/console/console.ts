/** Runs what the editor holds. */
import type { KalamDB, Session } from 'kalamdb';
import type { Connection } from '../app/connection';
import type { State } from '../app/state';
import { el } from '../ui/dom';
import { errorText } from '../ui/error-text';
import { formatMs, plural } from '../ui/format-number';
import type { Editor, Piece } from './editor';
import { errorPanel } from './error-panel';
import { resultPanel } from './result-panel';
import { type Statement, splitStatements } from './statements';

/** Commands that change neither tables nor rows. */
const READ_ONLY = /^(SELECT|SHOW|DESCRIBE|EXPLAIN|VALUES|USE)\b/i;
/** Errors after which the connection is of no use. */
const NEEDS_REOPEN: ReadonlySet<string> = new Set(['engine_crashed', 'database_closed']);

/** The places on the page that a run writes to. */
export interface ConsoleParts {
  readonly editor: Editor;
  readonly results: HTMLElement;
  readonly note: HTMLElement;
  /** Holds the id of the user as whom statements run; empty for the application. */
  readonly userField: HTMLInputElement;
}

/** What the console tells the rest of the page. */
export interface ConsoleEvents {
  /** A run has ended; `mayHaveChanged` is false if it only read. */
  readonly ran: (piece: Piece, ok: boolean, mayHaveChanged: boolean) => void;
}

/** Runs what the editor holds, statement by statement, and shows a panel for each. */
export class Console {
  readonly #state: State;
  readonly #connection: Connection;
  readonly #parts: ConsoleParts;
  readonly #events: ConsoleEvents;

  constructor(state: State, connection: Connection, parts: ConsoleParts, events: ConsoleEvents) {
    this.#state = state;
    this.#connection = connection;
    this.#parts = parts;
    this.#events = events;
  }

  /** Runs the selection, or all; gives whether every statement succeeded. A second call while one is running does nothing. */
  async run(): Promise<boolean> {
    const { editor, results, note, userField } = this.#parts;
    const userId = userField.value.trim();
    const db = this.#connection.as(userId);
    if (db === null || this.#state.get('isRunning')) return false;
    const piece = editor.piece;
    const statements = splitStatements(piece.text);
    editor.clearErrors();
    if (statements.length === 0) {
      note.textContent = 'There is no statement to run.';
      return false;
    }
    results.replaceChildren();
    this.#state.set('isRunning', true);
    const start = performance.now();
    let mayHaveChanged = false;
    let done = 0;
    for (const statement of statements) {
      note.textContent = statements.length === 1 ? 'Running' : `Running ${done + 1} of ${statements.length}`;
      if (!(await this.#runOne(db, userId, statement, piece))) break;
      mayHaveChanged ||= !READ_ONLY.test(statement.text);
      done += 1;
    }
    const ok = done === statements.length;
    const took = formatMs(performance.now() - start);
    note.textContent = ok ? `${plural(done, 'statement')} in ${took}` : `Failed after ${took}`;
    const left = statements.length - done - 1;
    if (left > 0) results.append(el('p', { class: 'not-run' }, `${plural(left, 'statement')} after it did not run.`));
    this.#state.set('isRunning', false);
    this.#events.ran(piece, ok, mayHaveChanged);
    return ok;
  }

  async #runOne(db: KalamDB | Session, userId: string, statement: Statement, piece: Piece): Promise<boolean> {
    const start = performance.now();
    try {
      const result = await db.query<unknown[]>(statement.text, [], { rowMode: 'array', timestamps: 'iso' });
      const clientMs = performance.now() - start;
      this.#parts.results.append(resultPanel({ statement: statement.text, result, userId, clientMs }));
      return true;
    } catch (error) {
      this.#parts.results.append(this.#failure(error, statement, piece));
      return false;
    }
  }

  #failure(error: unknown, statement: Statement, piece: Piece): HTMLElement {
    const { editor } = this.#parts;
    const text = errorText(error);
    const actions = NEEDS_REOPEN.has(text.code) ? [this.#reopenButton()] : [];
    if (text.position === null) return errorPanel(text, null, ...actions);
    const position = piece.offset + statement.offset + text.position;
    editor.markError(position, text.message);
    // Line numbers are the editor's, also when only a selection was run.
    return errorPanel(text, { script: editor.text, position, goTo: () => editor.goTo(position) }, ...actions);
  }

  #reopenButton(): HTMLElement {
    return el(
      'button',
      { type: 'button', class: 'button', onclick: () => void this.#connection.reopen() },
      'Open the database again',
    );
  }
}
