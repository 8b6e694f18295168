/** Writes names as SQL text has them. */

/** Keywords that people use as names. Quoting one too many does no harm. */
const KEYWORDS = new Set(
  'all and as asc between by case cast check column create cross date default delete desc distinct drop else end exists from full group having in index inner insert interval into is join key left like limit not null offset on or order outer primary right select set table then time timestamp to union unique update user using values view when where with'.split(
    ' ',
  ),
);

/** Quotes a name where it needs it. Words that are keywords are quoted too when they are likely. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : quoted(name);
}

/** A table's name for people to read and change; the namespace is left out where it is the first one. */
export function tableName(namespace: string, name: string): string {
  return namespace === 'default' ? identifier(name) : `${identifier(namespace)}.${identifier(name)}`;
}

/** A table's name for the engine alone: right for every name, and in whatever namespace a session is. */
export function fullTableName(namespace: string, name: string): string {
  return `${quoted(namespace)}.${quoted(name)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
