/** A statement to click. */
export interface Example {
  readonly title: string;
  readonly sql: string;
  /** Whether it changes data: then it is only put into the editor, for the reader to run. */
  readonly changesData: boolean;
}

/** For an empty database: to be clicked one after the other. */
export const FIRST_STEPS: readonly Example[] = [
  {
    title: 'Create a table',
    changesData: false,
    sql: `CREATE TABLE IF NOT EXISTS notes (
  id BIGINT PRIMARY KEY,
  title TEXT NOT NULL,
  stars INT,
  created TIMESTAMP DEFAULT NOW()
);`,
  },
  {
    title: 'Insert a few rows',
    changesData: false,
    sql: `INSERT INTO notes (id, title, stars) VALUES
  (1, 'Everything here stays in this browser', 5),
  (2, 'Reload the page: the rows are still there', 4),
  (3, 'Nobody has rated this one', NULL);`,
  },
  {
    title: 'Read them back',
    changesData: false,
    sql: `SELECT id, title, stars, created
FROM notes
ORDER BY stars DESC NULLS LAST;`,
  },
];

/** For the flights table. */
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
