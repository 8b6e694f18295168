// Differences that are meant to be: each with the sentence of docs/sql.md that tells of it.

/**
 * `matches` is given `{ kind, detail, isEarly, sql }`: what the difference is, and the statement as it runs on the engine.
 */
export const KNOWN = [
  {
    about: 'A float divided by zero, or out of its range, is an infinity or NaN',
    says: 'finite result gives an infinity or NaN',
    matches: ({ kind, detail }) =>
      kind === 'accepted' && /^(22012|22003) .*(division by zero|out of range: (overflow|underflow))/.test(detail),
  },
  {
    about: 'An expression that no row needs has no error',
    says: 'where no row needs it, it does not fail',
    matches: ({ isEarly }) => isEarly === true,
  },
  {
    about: 'sum of integers is a BIGINT, and a decimal has 38 digits',
    says: '`sum` of integers is a `BIGINT`',
    matches: ({ kind, detail, sql }) => kind === 'refused' && detail.startsWith('22003') && /\bsum\(/.test(sql),
  },
];

export const knownAs = (difference) => KNOWN.find(({ matches }) => matches(difference)) ?? null;
