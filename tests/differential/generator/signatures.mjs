// The functions and operators that expressions are made of: for each result type templates, in which `{type}` is an expression of the
// type, `{type!}` one of tame values, with which arithmetic stays in its range, `{leaf:type}` a column or a constant, and other words are small constants (constants.mjs).

import { ALL, ARRAYS, INTEGERS, NUMBERS, ORDERED } from './types.mjs';

/** Functions of `json` in PostgreSQL, where everything here is its `jsonb`. */
export const asJsonb = (template) =>
  template.replace(
    /\b(to_json|json_build_object|json_build_array|json_extract_path|json_extract_path_text|json_agg|json_object_agg|json_typeof|json_array_length)\(/g,
    (_, name) => {
      return `{either:${name}:${name.replace('json', 'jsonb')}}(`;
    },
  );

const templates = Object.fromEntries(ALL.map((type) => [type, []]));

/** Adds templates for a result type: one a line, `weight * template` where it is to come more often. */
function add(type, lines) {
  for (const line of lines.split('\n')) {
    const [, weight, template] = /^\s*(?:(\d+) \* )?(.*?)\s*$/.exec(line);
    if (template) templates[type].push([Number(weight ?? 1), asJsonb(template)]);
  }
}

// Conditions.
for (const T of ORDERED) {
  add(
    'bool',
    `3 * {${T}} = {${T}}
     2 * {${T}} <> {${T}}
     2 * {${T}} < {${T}}
     {${T}} <= {${T}}
     {${T}} > {${T}}
     {${T}} >= {${T}}
     {${T}} IS DISTINCT FROM {${T}}
     {${T}} IS NOT DISTINCT FROM {${T}}
     {${T}} BETWEEN {${T}} AND {${T}}
     {${T}} NOT BETWEEN {${T}} AND {${T}}
     2 * {${T}} IN ({${T}}, {${T}})
     {${T}} IN ({${T}})
     {${T}} NOT IN ({${T}}, {${T}}, {${T}})`,
  );
  add(
    T,
    `GREATEST({${T}}, {${T}})
     LEAST({${T}}, {${T}}, {${T}})
     2 * NULLIF({${T}}, {${T}})`,
  );
}
for (const T of ALL) {
  add('bool', `{${T}} IS NULL\n{${T}} IS NOT NULL`);
  add(
    T,
    `2 * CASE WHEN {bool} THEN {${T}} ELSE {${T}} END
     CASE WHEN {bool} THEN {${T}} END
     CASE WHEN {bool} THEN {${T}} WHEN {bool} THEN {${T}} ELSE {${T}} END
     CASE {int4} WHEN {int4} THEN {${T}} WHEN {int4} THEN {${T}} ELSE {${T}} END
     CASE {text} WHEN {text} THEN {${T}} ELSE {${T}} END
     2 * COALESCE({${T}}, {${T}})
     COALESCE({${T}}, {${T}}, {${T}})
     CAST({${T}} AS {type:${T}})`,
  );
}
add(
  'bool',
  `9 * {bool} AND {bool}
   9 * {bool} OR {bool}
   9 * NOT {bool}
   3 * {bool} IS TRUE
   {bool} IS NOT TRUE
   {bool} IS FALSE
   {bool} IS NOT FALSE
   {bool} IS UNKNOWN
   {bool} IS NOT UNKNOWN`,
);

// Numbers.
for (const T of NUMBERS) {
  add(
    T,
    `3 * {${T}!} + {${T}!}
     3 * {${T}!} - {${T}!}
     2 * {${T}!} * {${T}!}
     2 * {${T}!} / NULLIF({${T}!}, {type-value:${T}:0})
     - {${T}!}
     abs({${T}!})`,
  );
  for (const from of NUMBERS.filter((from) => from !== T)) add(T, `CAST({${from}!} AS {type:${T}})`);
  add('bool', `{${T}} = {int4}\n{int8} < {${T}}`);
}
for (const T of INTEGERS) {
  add(
    T,
    `2 * {${T}!} % NULLIF({${T}!}, {type-value:${T}:0})
     {${T}} & {${T}}
     {${T}} | {${T}}
     {${T}} # {${T}}
     ~ {${T}}`,
  );
}
for (const T of ['int4', 'int8']) {
  add(
    T,
    `{${T}!} << {small}
     {${T}!} >> {small}
     gcd({${T}!}, {${T}!})
     lcm({${T}!}, {${T}!})`,
  );
}
add(
  'numeric',
  `{numeric!} % NULLIF({numeric!}, {type-value:numeric:0})
   round({numeric!}, {small})
   round({numeric!})
   trunc({numeric!})
   trunc({numeric!}, {small})
   ceil({numeric!})
   floor({numeric!})
   {numeric!} + {int4!}
   {int8!} * {numeric!}`,
);
add(
  'float8',
  `round({float8!})
   trunc({float8!})
   ceil({float8!})
   floor({float8!})
   sqrt(abs({float8!}))
   cbrt({float8!})
   exp({float8!} / 10)
   ln(abs({float8!}) + 1)
   log(abs({float8!}) + 1)
   log10(abs({float8!}) + 1)
   power({float8!}, 2)
   pow(abs({float8!}), {float8:0.5})
   {float8!} ^ 2
   sin({float8!})
   cos({float8!})
   tan({float8!})
   cot({float8!} + 0.125)
   asin({float8!} / 100)
   acos({float8!} / 100)
   atan({float8!})
   atan2({float8!}, {float8!})
   sinh({float8!} / 10)
   cosh({float8!} / 10)
   tanh({float8!})
   asinh({float8!})
   acosh(abs({float8!}) + 1)
   atanh({float8!} / 100)
   degrees({float8!})
   radians({float8!})
   pi() * {float8!}
   {float8!} * {int4!}
   {float8!} + {numeric!}
   {float4!} - {float8!}
   extract(epoch FROM {interval})
   extract(epoch FROM {timestamp})
   date_part('second', {timestamp})`,
);
add('float8', 'factorial({small}) + 0.5\nsignum({float8!})');

// Texts.
add(
  'bool',
  `4 * {text} LIKE {pattern}
   {text} NOT LIKE {pattern}
   2 * {text} ILIKE {pattern}
   {text} LIKE {text}
   {text} LIKE {escaped} ESCAPE '!'
   2 * {text} ~ {regex}
   {text} ~* {regex}
   {text} !~ {regex}
   {text} !~* {regex}
   {text} SIMILAR TO {similar}
   {text} NOT SIMILAR TO {similar}
   starts_with({text}, {text})
   regexp_like({text}, {regex})
   {text} ^@ {text}`,
);
add(
  'text',
  `4 * {text} || {text}
   {text} || {int4}
   {int8} || {text}
   2 * upper({text})
   2 * lower({text})
   initcap({text})
   trim({text})
   trim(BOTH 'a' FROM {text})
   trim(LEADING FROM {text})
   btrim({text}, {letters})
   ltrim({text})
   ltrim({text}, {letters})
   rtrim({text}, {letters})
   2 * substr({text}, {integer})
   2 * substr({text}, {integer}, {small})
   substring({text} FROM {small} FOR {small})
   substring({text}, {small})
   left({text}, {integer})
   right({text}, {integer})
   lpad({text}, {small})
   lpad({text}, {small}, {letters})
   rpad({text}, {small}, {letters})
   repeat({text}, {integer})
   replace({text}, {letters}, {text})
   reverse({text})
   split_part({text}, {letters}, {position})
   translate({text}, 'abf', {text})
   overlay({text} PLACING {text} FROM {position})
   overlay({text} PLACING {text} FROM {position} FOR {small})
   concat({text}, {text})
   concat({text}, {int4}, {bool})
   concat_ws({text}, {text}, {text})
   concat_ws(',', {text}, {int4}, {text})
   chr({letter-code})
   md5({text})
   to_hex(abs({int4!}))
   to_bin(CAST({int4!} AS INTEGER))
   to_oct(CAST({int4!} AS INTEGER))
   regexp_replace({text}, {regex}, {replacement})
   regexp_replace({text}, {regex}, {replacement}, 'g')
   CAST({int4} AS TEXT)
   CAST({int8} AS TEXT)
   CAST({bool} AS TEXT)
   CAST({date} AS TEXT)
   CAST({time} AS TEXT)
   CAST({timestamp} AS TEXT)
   CAST({timestamptz} AS TEXT)
   CAST({interval} AS TEXT)
   CAST({uuid} AS TEXT)
   CAST({stored:numeric} AS TEXT)
   CAST({float8} AS TEXT)
   CAST({float4} AS TEXT)
   CAST({int4[]} AS TEXT)
   CAST({text[]} AS TEXT)
   CAST({json} AS {type:json}) ->> {key}
   CAST({text} AS VARCHAR(2))
   encode({bytea}, 'hex')
   encode({bytea}, 'base64')
   array_to_string({int4[]}, ',')
   array_to_string({text[]}, '-', 'none')
   ({text[]})[{position}]
   to_char({timestamp}, 'YYYY-MM-DD HH24:MI:SS')
   to_char({date}, 'DD.MM.YYYY')`,
);
add(
  'int4',
  `length({text})
   char_length({text})
   character_length({text})
   octet_length({text})
   bit_length({text})
   octet_length({bytea})
   length({bytea})
   ascii({text})
   strpos({text}, {text})
   position({letters} IN {text})
   regexp_count({text}, {regex})
   regexp_instr({text}, {regex})
   cardinality({int4[]})
   array_length({int4[]}, 1)
   array_ndims({text[]})
   array_position({text[]}, {text})
   ({int4[]})[{position}]
   CAST({text-number} AS INTEGER)
   CAST({bool} AS INTEGER)
   {date} - {date}
   CAST(extract(year FROM {date}) AS INTEGER)
   CAST(extract(month FROM {timestamp}) AS INTEGER)
   CAST(date_part('day', {date}) AS INTEGER)
   CAST(extract(dow FROM {date}) AS INTEGER)
   CAST(extract(doy FROM {date}) AS INTEGER)
   CAST(extract(week FROM {date}) AS INTEGER)
   CAST(extract(quarter FROM {date}) AS INTEGER)
   CAST(extract(hour FROM {time}) AS INTEGER)
   CAST(extract(minute FROM {timestamptz}) AS INTEGER)
   CAST(extract(day FROM {interval}) AS INTEGER)`,
);

// Bytes.
add(
  'bytea',
  `decode('00ff61', 'hex')
   sha224({bytea})
   sha256({bytea})
   sha384({bytea})
   sha512({bytea})
   {bytea} || {bytea}`,
);
add('text', 'md5({bytea})');

// Times.
add(
  'date',
  `2 * {date!} + {int4:1}
   {date!} - {small}
   CAST({timestamp} AS DATE)
   CAST({timestamptz} AS DATE)
   make_date(2024, {month}, {position})
   CAST({text-date} AS DATE)`,
);
add(
  'timestamp',
  `2 * {timestamp!} + {interval}
   {timestamp!} - {interval}
   {date!} + {interval}
   {date!} - {interval}
   {date!} + {time}
   date_trunc({unit}, {timestamp})
   date_bin({interval:15 minutes}, {timestamp!}, {timestamp:2001-01-01 00:00:00})
   CAST({date} AS TIMESTAMP)
   CAST({timestamptz} AS TIMESTAMP)
   {timestamptz!} AT TIME ZONE 'UTC'
   {timestamptz!} AT TIME ZONE 'America/New_York'`,
);
add(
  'timestamptz',
  `{timestamptz!} + {interval}
   {timestamptz!} - {interval}
   date_trunc({unit}, {timestamptz})
   CAST({timestamp} AS TIMESTAMPTZ)
   CAST({date} AS TIMESTAMPTZ)
   {timestamp!} AT TIME ZONE 'Europe/Berlin'
   {timestamptz!} + {interval}`,
);
add(
  'interval',
  `{interval} + {interval}
   {interval} - {interval}
   - {interval}
   {interval} * 2
   {timestamp!} - {timestamp!}
   {timestamptz!} - {timestamptz!}
   {time} - {time}
   CAST({time} AS INTERVAL)`,
);
add(
  'time',
  '{time} + {interval}\n{time} - {interval}\nCAST({timestamp} AS TIME)\nCAST({timestamptz} AS TIME)\nmake_time(10, {small}, 5)',
);
add(
  'bool',
  '{date} < {timestamp}\n{timestamp} >= {date}\n{date} = {timestamptz}\nnow() = CURRENT_TIMESTAMP\nCURRENT_DATE = CAST(now() AS DATE)',
);

// UUIDs.
add('uuid', "CAST('0190c3f4-0000-7000-8000-000000000001' AS UUID)");
add('bool', 'gen_random_uuid() IS NOT NULL\nSNOWFLAKE_ID() > 0\nlength(ULID()) = 26\nUUID_V7() <> UUID_V7()');

// JSON.
add(
  'json',
  `2 * {json} -> {key}
   {json} -> {integer}
   {json} #> {path}
   json_extract_path({json}, {key})
   jsonb_extract_path({json}, {key}, {key})
   json_get({json}, {key})
   json_get({json}, {small})
   json_get_json({json}, {key}, {key})
   ({json})[{key}]
   to_json({int4})
   to_jsonb(CAST({text} AS TEXT))
   to_jsonb({bool})
   to_json({int4[]})
   to_jsonb({numeric})
   json_build_object({key}, {int4}, 'z', {text})
   jsonb_build_object({key}, {bool}, 'z', {json})
   {either:json_object:jsonb_build_object}({key}, {int4})
   json_build_array({int4}, {text}, {bool})
   jsonb_build_array({json}, {int8})
   {either:json_array:jsonb_build_array}({int4}, {int4})`,
);
add(
  'text',
  `2 * {json} ->> {key}
   {json} ->> {integer}
   {json} #>> {path}
   json_as_text({json}, {key})
   json_extract_path_text({json}, {key})
   jsonb_extract_path_text({json}, {key}, {key})
   json_get_str({json}, {key})
   json_typeof({json})
   jsonb_typeof({json})`,
);
add(
  'bool',
  `{json} ? {key}
   jsonb_exists({json}, {key})
   {json} ?| {keys}
   {json} ?& {keys}
   jsonb_exists_any({json}, {keys})
   jsonb_exists_all({json}, {keys})
   {json} @> {json}
   {json} <@ {json}
   jsonb_contains({json}, {json})
   json_get_bool({json}, {key})
   json_contains({json}, {key})`,
);
add('int8', 'json_get_int({json}, {key})\njson_length({json})\njson_length({json}, {key})');
add('int4', 'json_array_length({json-array})\njsonb_array_length({json-array})');
add('float8', 'json_get_float({json}, {key})');
add(
  'text[]',
  'json_keys({json})\n{either:json_object_keys:json_keys}({json-object})\n{either:jsonb_object_keys:json_keys}({json-object})',
);

// Arrays.
for (const T of ARRAYS) {
  const E = T.slice(0, -2);
  add(
    'bool',
    `{${E}} = ANY(CAST({${T}} AS {type:${T}}))
     {${E}} <> ALL(CAST({${T}} AS {type:${T}}))
     {${E}} < ANY(CAST({${T}} AS {type:${T}}))
     {${T}} @> {${T}}
     {${T}} <@ {${T}}
     {${T}} && {${T}}`,
  );
  add(
    T,
    `2 * ARRAY[{${E}}, {${E}}]
     ARRAY[{${E}}]
     array_append({${T}}, {${E}})
     array_prepend({${E}}, {${T}})
     array_cat({${T}}, {${T}})
     {${T}} || {${T}}
     array_remove({${T}}, {${E}})
     array_replace({${T}}, {${E}}, {${E}})
     array_positions({${T}}, {${E}})::TEXT::{type:${T}}
     ({${T}})[{position}:{position}]`,
  );
}
add('text[]', "string_to_array({text}, ',')\nstring_to_array({text}, {letters}, 'a')\nregexp_match({text}, {regex})");
add(
  'int4[]',
  `{either:array_transform:transformed}({int4[]!}{either:, x -> x + 1:})
   {either:array_filter:filtered}({int4[]}{either:, x -> x > 1:})`,
);
add('int4', '{either:array_first:first_element}({int4[]}{either:, x -> x > 1:})');
add('bool', '{either:array_any_match:any_matches}({int4[]}{either:, x -> x > 1:})');
add(
  'float8',
  `COSINE_DISTANCE({vector}, {vector})
   L2_DISTANCE({vector}, {vector})
   INNER_PRODUCT({vector}, {vector})`,
);

// What docs/functions.md lists besides.
add(
  'json',
  `{json} || {json}
   jsonb_concat({json}, {json})
   {json-object} - {key}
   {json-array} - {small}
   {json-object} - {keys}
   {json-object} #- {path}
   jsonb_delete({json-object}, {key})
   jsonb_delete_path({json-object}, {keys})
   jsonb_set({json-object}, {path}, {json})
   jsonb_set({json-array}, ARRAY['1'], {json}, {bool})
   jsonb_insert({json-object}, {path}, {json})
   jsonb_insert({json-array}, ARRAY['1'], {json}, {bool})
   jsonb_strip_nulls({json})`,
);
add(
  'text',
  `format('%s|%5s|%-4s', {text}, {int4}, {text})
   format('%L %2$I', {text}, COALESCE({text}, 'a'))
   quote_ident({text})
   quote_literal({text})
   quote_nullable({int4})`,
);
add(
  'int8',
  `bit_count({bytea})
   (SELECT count(value) FROM jsonb_array_elements({json-array}))
   (SELECT count(value) FROM jsonb_array_elements_text({json-array}))
   (SELECT count(key) FROM jsonb_each({json-object}))
   (SELECT count(value) FROM jsonb_each_text({json-object}))
   (SELECT count(*) FROM string_to_table('a,b', ','))
   (SELECT count(*) FROM regexp_split_to_table('a1b', '[0-9]'))`,
);
add(
  'numeric',
  `ceiling({numeric!})
   mod({numeric!}, NULLIF({numeric!}, {type-value:numeric:0}))
   sign({numeric!})`,
);
add('int4', 'mod({int4!}, NULLIF({int4!}, {type-value:int4:0}))');
add('text', 'regexp_substr({text}, {regex})\nsubstring({text} FROM {regex})');
add('text[]', 'regexp_split_to_array({text}, {separator})');
for (const T of ARRAYS) {
  add(
    'bool',
    `array_has({${T}}, {leaf:${T.slice(0, -2)}})\narray_has_all({${T}}, {${T}})\narray_has_any({${T}}, {${T}})`,
  );
}
add(
  'interval',
  `age({timestamp!}, {timestamp!})
   age({date!}, {date!})
   justify_hours({interval})
   justify_days({interval})
   justify_interval({interval})
   make_interval({small}, {small}, 0, {small})
   make_interval(days => {small}, hours => {small})`,
);
add('timestamp', 'make_timestamp(2024, {month}, {position}, 10, {small}, 5.5)');
add(
  'timestamptz',
  `make_timestamptz(2024, {month}, {position}, 10, {small}, 5.5)
   to_timestamp({int4!})
   from_unixtime({int8!})
   to_timestamp_millis({int8!})
   to_timestamp_micros({int8!})
   to_timestamp_nanos({int8!})
   to_timestamp('2024-02-29 10:20', 'YYYY-MM-DD HH24:MI')`,
);
add('int8', 'to_unixtime({timestamptz!})\nto_unixtime({timestamp!})');
add('date', "to_date('29.02.2024', 'DD.MM.YYYY')");
add(
  'bool',
  `transaction_timestamp() <= statement_timestamp()
   CURRENT_TIME IS NOT NULL
   age({date!}) IS NOT NULL`,
);

/** For each type `[[weight, template], ...]`. */
export const SIGNATURES = templates;
