/** The engine's SQL, as the editor highlights, completes and splits it. */
import { SQLDialect } from '@codemirror/lang-sql';

const KEYWORDS = `
add all alter and any as asc auto_increment begin between both by cascade case cast check cluster collate column
commit conflict constraint create cross cube current databases default delete desc describe distinct do drop else end
escape except excluded execute exists explain extract false fetch filter first flush following for from full function
generated grant group grouping having if ignore ilike in increment index inner insert intersect interval into is join
key kill last lateral left like limit live local namespace namespaces natural next not nothing null nulls of offset on
only option options or order outer over partition preceding primary qualify query range recursive references release
rename replace returning right rollback rollup row rows savepoint select set sets shared show similar some stats
storage stream table tables then to trailing transaction trim true truncate unbounded undelete union unique unnest
update use user using values view when where window with within without`;

const TYPES = `
array bigint blob boolean bool bytea char character date decimal double embedding float int integer json jsonb numeric
precision real serial smallint string text time timestamp timestamptz tinyint unsigned uuid varchar`;

const FUNCTIONS = `
abs approx_distinct avg ceil coalesce concat count current_date current_timestamp date_part date_trunc dense_rank
floor gen_random_uuid greatest lag last_value lead least length lower max median min now nullif rank regexp_match
replace round row_number snowflake_id split_part stddev string_agg substr sum to_char to_timestamp ulid upper uuid_v7`;

/**
 * The engine's SQL for the editor: PostgreSQL's lexical rules, and no more words than the
 * engine knows, so that columns such as `id` and `hour` do not look like keywords.
 */
export const kalamDialect = SQLDialect.define({
  doubleDollarQuotedStrings: true,
  charSetCasts: true,
  operatorChars: '+-*/<>=~!@#%^&|`?',
  specialVar: '',
  keywords: oneLine(KEYWORDS),
  types: oneLine(TYPES),
  builtin: oneLine(FUNCTIONS),
});

function oneLine(words: string): string {
  return words.trim().replace(/\s+/g, ' ');
}
