// SQL as a tree of strings and nodes: it is written for either engine, and made smaller by the shrinker, without being parsed.

/** A node: `parts` are strings and nodes; `kind` says what the shrinker may do with it. */
class Node {
  constructor(kind, parts, properties) {
    this.kind = kind;
    this.parts = parts;
    Object.assign(this, properties);
  }

  /** The node with other parts. */
  with(parts) {
    return new Node(this.kind, parts, { ...this, kind: this.kind, parts });
  }
}

function interleave(strings, values) {
  return strings
    .flatMap((text, at) => (at < values.length ? [text, values[at]] : [text]))
    .flat()
    .filter((part) => part !== '');
}

/** Text that is kept as it is: sql`SELECT ${items}`. */
export const sql = (strings, ...values) => new Node('text', interleave(strings, values), {});

/** An expression of a type: another one of that type may stand for it. */
export const expression = (type, parts) => new Node('expression', parts.flat(), { type });

/** A query with columns of these types. */
export const query = (types, parts) => new Node('query', parts.flat(), { types });

/** A clause that can be left out. */
export const optional = (strings, ...values) => new Node('optional', interleave(strings, values), {});

/** Text of which a part, a node, can stand for the whole: a join, of which one side is left. */
export const either = (strings, ...values) => new Node('either', interleave(strings, values), {});

/** Items with something in between; all but `min` of them can be left out. */
export const list = (separator, items, min = 1) => new Node('list', items, { separator, min });

/** A constant of a type, as SQL for both, which a parameter can carry where `parameter` is given. */
export const literal = (type, text, parameter) => new Node('literal', [text], { type, parameter });

/** What each engine writes in its own way. */
export const dialect = (ours, peer) => new Node('dialect', [ours, peer], {});

/** Nothing. */
export const nothing = sql``;

/**
 * The text for one engine, `ours` or `peer`, and the parameters: with `withParameters` the literals that can be are parameters.
 */
export function render(root, engine, withParameters = false) {
  const parameters = [];
  const numbers = new Map();
  const text = (part) => {
    if (typeof part === 'string') return part;
    if (part.kind === 'dialect') return text(part.parts[engine === 'ours' ? 0 : 1]);
    if (part.kind === 'list') return part.parts.map(text).filter(Boolean).join(part.separator);
    if (part.kind === 'literal' && withParameters && part.parameter) {
      // What stands in two places is one parameter.
      if (!numbers.has(part)) numbers.set(part, parameters.push(part.parameter.value));
      return part.parameter.text.replace('?', `$${numbers.get(part)}`);
    }
    return part.parts.map(text).join('');
  };
  return { sql: text(root).trim(), parameters };
}

/** All nodes of a tree, with the way to each. */
export function* walk(node, path = []) {
  yield { node, path };
  for (const [at, part] of node.parts.entries()) {
    if (typeof part !== 'string') yield* walk(part, [...path, at]);
  }
}

/** The tree with another node at the end of a path. */
export function replaced(node, path, other) {
  if (path.length === 0) return other;
  const [at, ...rest] = path;
  return node.with(node.parts.map((part, index) => (index === at ? replaced(part, rest, other) : part)));
}
