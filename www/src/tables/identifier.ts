/** Quotes a name for SQL text where it needs it. Words that are keywords are quoted too when they are likely. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Keywords that people use as names. Quoting one too many does no harm. */
const KEYWORDS = new Set(
  'all and as asc between by case cast check column create cross date default delete desc distinct drop else end exists from full group having in index inner insert interval into is join key left like limit not null offset on or order outer primary right select set table then time timestamp to union unique update user using values view when where with'.split(
    ' ',
  ),
);
