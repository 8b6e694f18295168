/** The state of the database in the header. */
import { element } from '../ui/dom';
import { errorText } from '../ui/error-text';
import { formatMs } from '../ui/format-number';
import { type ConnectionState, DATABASE_NAME } from './connection';

const MODES = { indexeddb: 'in IndexedDB', memory: 'in memory only' } as const;

/** Shows the state of the database in the header. */
export function showStatus(state: ConnectionState): void {
  const [text, detail] = words(state);
  element('status', HTMLElement).dataset.state = state.type;
  element('status-text', HTMLElement).textContent = text;
  element('status-detail', HTMLElement).textContent = detail;
}

function words(state: ConnectionState): [string, string] {
  switch (state.type) {
    case 'opening':
      return ['Opening', `"${DATABASE_NAME}"`];
    case 'ready':
      return ['Ready', `"${DATABASE_NAME}" ${MODES[state.mode]}, opened in ${formatMs(state.openMs)}`];
    case 'failed':
      return ['Not open', errorText(state.error).code];
  }
}
