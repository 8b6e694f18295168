/** The keys of the editor, as this machine's keyboard names them. */
import { el } from '../ui/dom';

/** What to put into the line that tells them. */
export function keyHints(): (Node | string)[] {
  const isMac = navigator.platform.startsWith('Mac');
  const [run, history] = isMac
    ? ['\u2318\u21a9', '\u2325\u2191 \u2325\u2193']
    : ['Ctrl+Enter', 'Alt+\u2191 Alt+\u2193'];
  return [el('kbd', {}, run), ' run ', el('kbd', {}, history), ' history'];
}
