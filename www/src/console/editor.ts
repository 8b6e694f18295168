/** The SQL editor: CodeMirror with the project's dialect, keys and look. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { type SQLNamespace, sql } from '@codemirror/lang-sql';
import { bracketMatching } from '@codemirror/language';
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { kalamDialect } from './dialect';
import { editorTheme } from './editor-theme';

/** What the console does on the editor's keys; each returns nothing and the key is taken. */
export interface EditorActions {
  readonly run: () => void;
  readonly older: () => void;
  readonly newer: () => void;
  readonly changed: (text: string) => void;
}

/** A piece of the editor's text. */
export interface Piece {
  readonly text: string;
  /** Where it begins in the whole text, in UTF-16 units. */
  readonly offset: number;
}

/** The SQL editor. Tab is left to the browser, so that the keyboard can leave the editor. */
export class Editor {
  readonly #view: EditorView;
  readonly #language = new Compartment();

  constructor(parent: HTMLElement, text: string, actions: EditorActions) {
    const key = (action: () => void) => (): boolean => {
      action();
      return true;
    };
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: 'Mod-Enter', run: key(actions.run) },
              { key: 'Alt-ArrowUp', run: key(actions.older) },
              { key: 'Alt-ArrowDown', run: key(actions.newer) },
            ]),
          ),
          lineNumbers(),
          history(),
          drawSelection(),
          EditorView.lineWrapping,
          highlightActiveLine(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          this.#language.of(sql({ dialect: kalamDialect })),
          placeholder('Write SQL here'),
          EditorView.contentAttributes.of({ 'aria-label': 'SQL', spellcheck: 'false', autocapitalize: 'off' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) actions.changed(update.state.doc.toString());
          }),
          editorTheme,
        ],
      }),
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** What a run takes: the selection if there is one, else everything. */
  get piece(): Piece {
    const { from, to, empty } = this.#view.state.selection.main;
    return empty ? { text: this.text, offset: 0 } : { text: this.#view.state.sliceDoc(from, to), offset: from };
  }

  /** Replaces the text and puts the cursor at its end. The change can be undone. */
  setText(text: string): void {
    this.#view.dispatch({
      changes: { from: 0, to: this.#view.state.doc.length, insert: text },
      selection: { anchor: text.length },
      scrollIntoView: true,
    });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Underlines the word at a position, or the last character if the position is the end. */
  markError(position: number, message: string): void {
    const { doc } = this.#view.state;
    const from = Math.max(0, Math.min(position, doc.length - 1));
    const word = /^(?:[\p{L}\p{N}_$]+|"[^"]*"?|'[^']*'?|\S)/u.exec(doc.sliceString(from, from + 200));
    const to = Math.min(doc.length, from + (word?.[0].length ?? 1));
    this.#setDiagnostics([{ from, to, severity: 'error', message }]);
  }

  clearErrors(): void {
    this.#setDiagnostics([]);
  }

  /** Moves the cursor to a position and shows it. */
  goTo(position: number): void {
    const anchor = Math.min(position, this.#view.state.doc.length);
    this.#view.dispatch({ selection: { anchor }, scrollIntoView: true });
    this.focus();
  }

  /** Names that completion offers: namespaces, tables, columns. */
  setSchema(schema: SQLNamespace): void {
    this.#view.dispatch({
      effects: this.#language.reconfigure(sql({ dialect: kalamDialect, schema, defaultSchema: 'default' })),
    });
  }

  #setDiagnostics(diagnostics: Diagnostic[]): void {
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }
}
