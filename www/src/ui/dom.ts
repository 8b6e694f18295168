/** Makes and finds elements of the page. */

/** What a child of {@link el} may be; `null` and `false` are left out. */
export type Child = Node | string | null | false;

/** Attributes and listeners of {@link el}: `class`, `onclick` and friends, anything else is an attribute. */
export type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>;

/** Builds one element. Text is always set as text, never parsed as HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false) node.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== false) node.append(child);
  return node;
}

/**
 * The element with this id that the page's own HTML has.
 *
 * @throws Error when there is none, or one of another class
 */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const node = document.getElementById(id);
  if (node instanceof type) return node;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}
