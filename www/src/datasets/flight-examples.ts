/** Queries to try on the flights. */
import type { Example } from './example';

/** In the order in which they are listed. */
export const FLIGHT_EXAMPLES: readonly Example[] = [
  {
    title: 'Delay by hour of departure',
    changesData: false,
    sql: `SELECT CAST(floor(departure) AS INT) AS hour,
       count(*) AS flights,
       round(avg(delay), 1) AS avg_delay,
       max(delay) AS worst
FROM flights
GROUP BY 1
ORDER BY 1;`,
  },
  {
    title: 'Delay by distance',
    changesData: false,
    sql: `SELECT distance / 500 * 500 AS from_miles,
       count(*) AS flights,
       round(avg(delay), 1) AS avg_delay,
       round(100.0 * sum(CASE WHEN delay > 30 THEN 1 ELSE 0 END) / count(*), 1) AS late_percent
FROM flights
GROUP BY 1
ORDER BY 1;`,
  },
  {
    title: 'The ten longest delays',
    changesData: false,
    sql: `SELECT id, delay, distance, departure
FROM flights
ORDER BY delay DESC, id
LIMIT 10;`,
  },
  {
    title: 'All 200,000 rows',
    changesData: false,
    sql: 'SELECT * FROM flights;',
  },
  {
    title: 'Cap extreme delays',
    changesData: true,
    sql: `UPDATE flights
SET delay = 300
WHERE delay > 300;`,
  },
  {
    title: 'Delete the worst hour',
    changesData: true,
    sql: `DELETE FROM flights
WHERE floor(departure) = (
  SELECT floor(departure) FROM flights
  GROUP BY 1 ORDER BY avg(delay) DESC LIMIT 1
);`,
  },
  {
    title: 'See what was deleted',
    changesData: false,
    sql: `SELECT id, delay, departure, _deleted
FROM flights
WHERE _deleted = true
LIMIT 100;`,
  },
];
