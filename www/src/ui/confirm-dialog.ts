/** A question before something is destroyed. */
import { el } from './dom';

/** The words of a question with two answers. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  /** Marks the answer as one that destroys something. */
  readonly isDanger: boolean;
}

/** Asks in a modal dialog; Escape, and the focus at first, are on the harmless answer. */
export function ask(question: Question): Promise<boolean> {
  const cancel = el('button', { type: 'submit', class: 'button', value: 'no', autofocus: true }, 'Keep it');
  const confirm = el(
    'button',
    { type: 'submit', class: question.isDanger ? 'button danger' : 'button primary', value: 'yes' },
    question.confirm,
  );
  const dialog = el(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id: 'dialog-title' }, question.title),
      el('p', {}, question.text),
      el('div', { class: 'dialog-actions' }, cancel, confirm),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
