/** The header of the page: the state of the database, the theme, and the reset. */
import { ask } from '../ui/confirm-dialog';
import { element } from '../ui/dom';
import { type Connection, DATABASE_NAME } from './connection';
import type { State } from './state';
import { showStatus } from './status';
import { setUpTheme } from './theme';
import type { Workbench } from './workbench';

/** Wires what is in the header. */
export function setUpHeader(state: State, connection: Connection, workbench: Workbench): void {
  state.show('connection', showStatus);
  setUpTheme(element('theme', HTMLButtonElement), state);
  element('reset', HTMLButtonElement).addEventListener('click', () => void reset(connection, workbench));
}

async function reset(connection: Connection, workbench: Workbench): Promise<void> {
  const isSure = await ask({
    title: 'Reset the database?',
    text: `Every table of "${DATABASE_NAME}" in this browser is deleted, with all rows. This cannot be undone. The history of statements is kept.`,
    confirm: 'Delete everything',
    isDanger: true,
  });
  if (!isSure) return;
  try {
    await connection.reset();
  } catch (error) {
    workbench.showError(error);
  }
}
