-- What KalamDB has and PostgreSQL does not, written in PostgreSQL's SQL as docs/functions.md describes it.

CREATE FUNCTION signum(x double precision) RETURNS double precision RETURN CASE WHEN x = 'NaN' THEN x ELSE sign(x) END;
CREATE FUNCTION snowflake_id() RETURNS bigint RETURN 1;
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS 'SELECT gen_random_uuid()';
CREATE FUNCTION ulid() RETURNS text RETURN repeat('0', 26);

CREATE FUNCTION json_get(j jsonb, step text) RETURNS jsonb RETURN j -> step;
CREATE FUNCTION json_get(j jsonb, step integer) RETURNS jsonb RETURN j -> step;
CREATE FUNCTION json_get_json(j jsonb, a text, b text) RETURNS jsonb RETURN j -> a -> b;
CREATE FUNCTION json_as_text(j jsonb, step text) RETURNS text RETURN j ->> step;
CREATE FUNCTION json_get_str(j jsonb, step text) RETURNS text RETURN CASE WHEN jsonb_typeof(j -> step) = 'string' THEN j ->> step END;
CREATE FUNCTION json_get_int(j jsonb, step text) RETURNS bigint
  RETURN CASE WHEN jsonb_typeof(j -> step) = 'number' AND (j ->> step) ~ '^-?\d+$' THEN (j ->> step)::bigint END;
CREATE FUNCTION json_get_float(j jsonb, step text) RETURNS double precision
  RETURN CASE WHEN jsonb_typeof(j -> step) = 'number' THEN (j ->> step)::double precision END;
CREATE FUNCTION json_get_bool(j jsonb, step text) RETURNS boolean RETURN CASE WHEN jsonb_typeof(j -> step) = 'boolean' THEN (j ->> step)::boolean END;
CREATE FUNCTION json_contains(j jsonb, step text) RETURNS boolean RETURN (j -> step) IS NOT NULL;
CREATE FUNCTION json_length(j jsonb) RETURNS bigint
  LANGUAGE sql AS $$ SELECT CASE jsonb_typeof(j) WHEN 'array' THEN jsonb_array_length(j) WHEN 'object' THEN (SELECT count(*) FROM jsonb_object_keys(j)) END $$;
CREATE FUNCTION json_length(j jsonb, step text) RETURNS bigint RETURN json_length(j -> step);
CREATE FUNCTION json_keys(j jsonb) RETURNS text[]
  LANGUAGE sql AS $$ SELECT CASE jsonb_typeof(j) WHEN 'object' THEN ARRAY(SELECT k FROM jsonb_object_keys(j) AS k) END $$;

CREATE FUNCTION inner_product(a double precision[], b double precision[]) RETURNS double precision
  LANGUAGE sql AS $$ SELECT sum(x * y) FROM unnest(a, b) AS v (x, y) $$;
CREATE FUNCTION l2_distance(a double precision[], b double precision[]) RETURNS double precision
  LANGUAGE sql AS $$ SELECT sqrt(sum((x - y) ^ 2)) FROM unnest(a, b) AS v (x, y) $$;
CREATE FUNCTION cosine_distance(a double precision[], b double precision[]) RETURNS double precision
  LANGUAGE sql AS $$ SELECT 1 - inner_product(a, b) / sqrt(inner_product(a, a) * inner_product(b, b)) $$;

-- The functions that take functions, each with the one that the generator gives it.
CREATE FUNCTION transformed(a integer[]) RETURNS integer[]
  LANGUAGE sql AS $$ SELECT CASE WHEN a IS NOT NULL THEN ARRAY(SELECT x + 1 FROM unnest(a) WITH ORDINALITY AS u (x, n) ORDER BY n) END $$;
CREATE FUNCTION filtered(a integer[]) RETURNS integer[]
  LANGUAGE sql AS $$ SELECT CASE WHEN a IS NOT NULL THEN ARRAY(SELECT x FROM unnest(a) WITH ORDINALITY AS u (x, n) WHERE x > 1 ORDER BY n) END $$;
CREATE FUNCTION first_element(a integer[]) RETURNS integer
  LANGUAGE sql AS $$ SELECT x FROM unnest(a) WITH ORDINALITY AS u (x, n) WHERE x > 1 ORDER BY n LIMIT 1 $$;
CREATE FUNCTION any_matches(a integer[]) RETURNS boolean LANGUAGE sql AS $$ SELECT 1 < ANY (a) $$;

CREATE FUNCTION array_has(a anyarray, x anyelement) RETURNS boolean LANGUAGE sql AS $$ SELECT x = ANY (a) $$;
CREATE FUNCTION array_has_all(a anyarray, b anyarray) RETURNS boolean LANGUAGE sql AS $$ SELECT a @> b $$;
CREATE FUNCTION array_has_any(a anyarray, b anyarray) RETURNS boolean LANGUAGE sql AS $$ SELECT a && b $$;

CREATE FUNCTION from_unixtime(n bigint) RETURNS timestamptz RETURN to_timestamp(n);
CREATE FUNCTION to_timestamp_millis(n bigint) RETURNS timestamptz RETURN timestamptz '1970-01-01' + n * interval '1 millisecond';
CREATE FUNCTION to_timestamp_micros(n bigint) RETURNS timestamptz RETURN timestamptz '1970-01-01' + n * interval '1 microsecond';
CREATE FUNCTION to_timestamp_nanos(n bigint) RETURNS timestamptz RETURN timestamptz '1970-01-01' + floor(n / 1000.0) * interval '1 microsecond';
CREATE FUNCTION to_unixtime(t timestamptz) RETURNS bigint RETURN floor(extract(epoch FROM t));
CREATE FUNCTION to_unixtime(t timestamp) RETURNS bigint RETURN floor(extract(epoch FROM t));
