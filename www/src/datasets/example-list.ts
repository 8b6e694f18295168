/** A list of examples to click. */
import { el } from '../ui/dom';
import type { Example } from './example';

/** Example statements as buttons. */
export function exampleList(examples: readonly Example[], use: (example: Example) => void): HTMLElement {
  return el(
    'ul',
    { class: 'example-list' },
    ...examples.map((example) =>
      el(
        'li',
        {},
        el(
          'button',
          {
            type: 'button',
            class: 'example',
            title: example.changesData
              ? `Changes data: goes into the editor, run it there.\n\n${example.sql}`
              : example.sql,
            onclick: () => use(example),
          },
          el('span', {}, example.title),
          example.changesData && el('span', { class: 'tag' }, 'writes'),
        ),
      ),
    ),
  );
}
