export type { ErrorCode } from '../errors/error-codes.js';
export { isKalamDBError, KalamDBError } from '../errors/errors.js';
export type { QueryOptions } from '../wire/decoding.js';
export type { Param, RowArrays, Rows } from '../wire/params.js';
export type { Field, InsertResult, Result, Row, Value } from '../wire/result.js';
export type { BatchStatement, Client } from './client.js';
export { KalamDB } from './database.js';
export type {
  BatchOptions,
  LocationOptions,
  OpenOptions,
  Role,
  SessionOptions,
  SessionUser,
  TransactionOptions,
} from './options.js';
export type { Queries } from './queries.js';
export type { Session } from './session.js';
export { type SqlStatement, sql } from './sql-tag.js';
export type { Statement } from './statement.js';
export type {
  CheckReport,
  DamagedRecord,
  Repair,
  SalvagedTable,
  SalvageReport,
  StorageReport,
  TableStorage,
} from './storage.js';
export type { Transaction } from './transaction.js';
