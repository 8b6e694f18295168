// Aggregates and window functions, by result type, as templates like those of signatures.mjs.

import { asJsonb } from './signatures.mjs';
import { ALL, INTEGERS, NUMBERS, ORDERED } from './types.mjs';

const aggregates = Object.fromEntries(ALL.map((type) => [type, []]));
const windows = Object.fromEntries(ALL.map((type) => [type, []]));
const add = (to, type, lines) => to[type].push(...lines.split('\n').map((line) => asJsonb(line.trim())));

add(
  aggregates,
  'int8',
  'count(*)\ncount(*)\ncount({any})\ncount(DISTINCT {ordered})\nsum({int2!})\nsum({int4!})\nsum(DISTINCT {int4!})',
);
add(aggregates, 'int8', 'regr_count({float8!}, {float8!})');
add(
  aggregates,
  'numeric',
  'sum({numeric!})\nsum({int8!})\navg({numeric!})\navg({int4!})\navg({int8!})\navg(DISTINCT {int4!})',
);
add(
  aggregates,
  'float8',
  `sum({float8!})
   avg({float8!})
   stddev({float8!})
   stddev_pop({float8!})
   stddev_samp({float8!})
   var_pop({float8!})
   var_samp({float8!})
   corr({float8!}, {float8!})
   covar_pop({float8!}, {float8!})
   covar_samp({float8!}, {float8!})
   regr_avgx({float8!}, {float8!})
   regr_avgy({float8!}, {float8!})
   regr_sxx({float8!}, {float8!})
   regr_syy({float8!}, {float8!})
   regr_sxy({float8!}, {float8!})
   percentile_cont(0.5) WITHIN GROUP (ORDER BY {float8!})`,
);
add(aggregates, 'bool', 'bool_and({bool})\nbool_or({bool})');
add(aggregates, 'text', "string_agg({text:=x}, ',' ORDER BY {text:=x})\nstring_agg(DISTINCT {text}, '')");
add(
  aggregates,
  'text[]',
  'array_agg(CAST({text:=x} AS TEXT) ORDER BY {text:=x})\narray_agg(DISTINCT CAST({text:=x} AS TEXT) ORDER BY CAST({text:=x} AS TEXT) DESC)',
);
add(
  aggregates,
  'int4[]',
  'array_agg({int4:=x} ORDER BY {int4:=x})\narray_agg({int4:=x} ORDER BY {int4:=x} DESC NULLS LAST)',
);
add(
  aggregates,
  'json',
  `json_agg({int4:=x} ORDER BY {int4:=x})
   jsonb_agg(CAST({text:=x} AS TEXT) ORDER BY {text:=x})
   json_object_agg(CAST(COALESCE({int4:=x}, 0) AS TEXT), {int4:=x} ORDER BY {int4:=x})
   jsonb_object_agg(COALESCE({text:=x}, ''), CAST({text:=x} AS TEXT) ORDER BY {text:=x})`,
);
for (const T of INTEGERS) add(aggregates, T, `bit_and({${T}})\nbit_or({${T}})\nbit_xor({${T}})`);
// PostgreSQL has no min of these.
const unordered = ['bool', 'uuid', 'json'];
for (const T of ORDERED.filter((name) => !unordered.includes(name)))
  add(aggregates, T, `min({${T}})\nmax({${T}})\nmin({${T}})\nmax({${T}})`);

add(windows, 'int8', 'row_number()\nrank()\ndense_rank()\ncount(*)\ncount({any})\nsum({int4!})');
add(windows, 'int4', 'ntile({position})');
add(windows, 'float8', 'percent_rank()\ncume_dist()\navg({float8!})\nsum({float8!})');
add(windows, 'numeric', 'sum({numeric!})\navg({int4!})\nsum({int8!})');
add(windows, 'bool', 'bool_and({bool})\nbool_or({bool})');
for (const T of ALL) {
  // A text alone has no type yet in PostgreSQL.
  const value = T === 'text' ? 'CAST({text} AS TEXT)' : `{${T}}`;
  add(
    windows,
    T,
    `lag(${value})
     lead(${value})
     lag(${value}, {small})
     lead(${value}, {small}, ${value})
     first_value(${value})
     last_value(${value})
     nth_value(${value}, {position})`,
  );
}
for (const T of NUMBERS) add(windows, T, `min({${T}})\nmax({${T}})`);
for (const T of ['text', 'date', 'timestamp', 'time']) add(windows, T, `min({${T}})\nmax({${T}})`);

/** For each type its templates. */
export const AGGREGATES = aggregates;
export const WINDOW_FUNCTIONS = windows;
