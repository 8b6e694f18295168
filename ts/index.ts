export { KalamDB } from './database.js';
export type { ErrorCode } from './error-codes.js';
export { isKalamDBError, KalamDBError } from './errors.js';
export type { LocationOptions, OpenOptions, QueryOptions } from './options.js';
export type { Param, RowArrays, Rows } from './params.js';
export type { Field, InsertResult, Result, Row, Value } from './result.js';
export { type SqlStatement, sql } from './sql-tag.js';
