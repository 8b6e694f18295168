/** The first steps in an empty database. */

/** A statement to click. */
export interface Step {
  readonly title: string;
  readonly sql: string;
}

/** To be clicked one after the other. */
export const FIRST_STEPS: readonly Step[] = [
  {
    title: 'Create a table',
    sql: `CREATE TABLE IF NOT EXISTS notes (
  id BIGINT PRIMARY KEY,
  title TEXT NOT NULL,
  stars INT,
  created TIMESTAMP DEFAULT NOW()
);`,
  },
  {
    title: 'Insert a few rows',
    sql: `INSERT INTO notes (id, title, stars) VALUES
  (1, 'Everything here stays in this browser', 5),
  (2, 'Reload the page: the rows are still there', 4),
  (3, 'Nobody has rated this one', NULL);`,
  },
  {
    title: 'Read them back',
    sql: `SELECT id, title, stars, created
FROM notes
ORDER BY stars DESC NULLS LAST;`,
  },
];
