//! The closed list of error codes, each with its SQLSTATE, when it arises and what to do.

/// Declares the closed list of error codes with the SQLSTATE of each.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident $code:literal $sql_state:literal),+ $(,)?) => {
        /// What kind of failure an error is: the closed list that applications branch on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant),+];

            /// The name that applications see, for instance `unique_violation`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(ErrorKind::$variant => $code,)+
                }
            }

            /// The SQLSTATE: PostgreSQL's where it has one, class Z otherwise.
            pub const fn sql_state(self) -> &'static str {
                match self {
                    $(ErrorKind::$variant => $sql_state,)+
                }
            }
        }
    };
}

// The first paragraph says when, the second what to do about it: `cargo xtask errors` writes docs/errors.md and
// ts/errors/error-codes.ts from here.
error_kinds! {
    /// The text is not a statement.
    ///
    /// Correct the text at `position`; pass values as parameters.
    SyntaxError "syntax_error" "42601",
    /// The statement is understood but not offered.
    ///
    /// Write the statement in another way; the hint says how where there is one.
    FeatureNotSupported "feature_not_supported" "0A000",
    /// No table has that name.
    ///
    /// Correct the name, or create the table; the hint names the nearest one.
    UndefinedTable "undefined_table" "42P01",
    /// No column in scope has that name.
    ///
    /// Correct the name; DESCRIBE lists the columns of a table.
    UndefinedColumn "undefined_column" "42703",
    /// No function has that name and these argument types.
    ///
    /// Correct the name or cast the arguments.
    UndefinedFunction "undefined_function" "42883",
    /// No type or other object has that name.
    ///
    /// Correct the name, or make the object.
    UndefinedObject "undefined_object" "42704",
    /// No namespace has that name.
    ///
    /// Correct the name, or create the namespace.
    UndefinedSchema "undefined_schema" "3F000",
    /// A parameter is named that no value was given for, or the other way round.
    ///
    /// Give as many parameters as the text names.
    UndefinedParameter "undefined_parameter" "42P02",
    /// The table exists already.
    ///
    /// Use another name, or IF NOT EXISTS.
    DuplicateTable "duplicate_table" "42P07",
    /// The namespace exists already.
    ///
    /// Use another name, or IF NOT EXISTS.
    DuplicateSchema "duplicate_schema" "42P06",
    /// A column is named twice.
    ///
    /// Name each column once.
    DuplicateColumn "duplicate_column" "42701",
    /// A column name fits several columns in scope.
    ///
    /// Put the name of the table before it.
    AmbiguousColumn "ambiguous_column" "42702",
    /// A name is empty or has the wrong form.
    ///
    /// Use a name of 1 to 64 characters.
    InvalidName "invalid_name" "42602",
    /// A name belongs to the system.
    ///
    /// Use another name.
    ReservedName "reserved_name" "42939",
    /// A name is longer than 64 characters.
    ///
    /// Use a shorter name.
    NameTooLong "name_too_long" "42622",
    /// A table definition contradicts itself.
    ///
    /// Correct the definition.
    InvalidTableDefinition "invalid_table_definition" "42P16",
    /// A system column is written to.
    ///
    /// Leave the column out; the engine fills it.
    CannotModifySystemColumn "cannot_modify_system_column" "428C9",
    /// A value is given for a column that is GENERATED ALWAYS.
    ///
    /// Leave the column out or write DEFAULT; INSERT takes the value with OVERRIDING SYSTEM VALUE.
    GeneratedAlways "generated_always" "428C9",
    /// An object is still in use by others.
    ///
    /// Drop those first, or use CASCADE.
    DependentObjectsStillExist "dependent_objects_still_exist" "2BP01",
    /// A column is neither grouped nor aggregated.
    ///
    /// Add the column to GROUP BY, or aggregate it.
    GroupingError "grouping_error" "42803",
    /// The statement is well formed but has no meaning here, for instance an operator without that combination of
    /// types.
    ///
    /// Correct the statement; a CAST helps where types do not fit.
    InvalidQuery "invalid_query" "42000",
    /// Evaluating an expression failed on a value.
    ///
    /// Correct the value, or keep it out with WHERE or CASE.
    DataException "data_exception" "22000",
    /// A value or expression has a type that does not fit.
    ///
    /// Give a value of the type, or CAST the expression.
    DatatypeMismatch "datatype_mismatch" "42804",
    /// A text is not the text form of the type.
    ///
    /// Give a text in the form of the type.
    InvalidTextRepresentation "invalid_text_representation" "22P02",
    /// A number does not fit the type.
    ///
    /// Give a smaller number, or use a wider type.
    NumericValueOutOfRange "numeric_value_out_of_range" "22003",
    /// A number is divided by zero.
    ///
    /// Use NULLIF on the divisor.
    DivisionByZero "division_by_zero" "22012",
    /// A text is longer than the column allows.
    ///
    /// Shorten the text, or use TEXT.
    StringDataRightTruncation "string_data_right_truncation" "22001",
    /// A text is not a date or time.
    ///
    /// Give a date or time in ISO 8601, or a Date.
    InvalidDatetimeFormat "invalid_datetime_format" "22007",
    /// A date, time or interval is one that the calendar or the type does not have.
    ///
    /// Give one within the range, which docs/types.md tells.
    DatetimeFieldOverflow "datetime_field_overflow" "22008",
    /// A text holds a code unit that UTF-8 has no form for.
    ///
    /// Remove lone surrogates; `toWellFormed()` replaces them.
    CharacterNotInRepertoire "character_not_in_repertoire" "22021",
    /// An argument is outside what the function or call takes.
    ///
    /// Correct the argument that the message names.
    InvalidParameterValue "invalid_parameter_value" "22023",
    /// A subquery used as a value returns more than one row.
    ///
    /// Bound the subquery with LIMIT 1 or an aggregate.
    CardinalityViolation "cardinality_violation" "21000",
    /// The session's role may not do this.
    ///
    /// Use a session with a higher role.
    InsufficientPrivilege "insufficient_privilege" "42501",
    /// A row does not satisfy a CHECK.
    ///
    /// Give values that the constraint takes.
    CheckViolation "check_violation" "23514",
    /// A statement does not fit the state of the transaction, for instance COMMIT outside of one.
    ///
    /// Begin or end the transaction where it is open; the hint says how.
    InvalidTransactionState "invalid_transaction_state" "25000",
    /// A statement of the transaction has failed, and it has not been rolled back yet.
    ///
    /// Roll back, altogether or to a savepoint, and run the transaction again.
    InFailedTransaction "in_failed_transaction" "25P02",
    /// No savepoint has that name.
    ///
    /// Correct the name; ROLLBACK TO and RELEASE also end later savepoints.
    InvalidSavepoint "invalid_savepoint" "3B001",
    /// An index or constraint exists already.
    ///
    /// Use another name, or IF NOT EXISTS.
    DuplicateObject "duplicate_object" "42710",
    /// The object is of another kind than the statement takes.
    ///
    /// Use the statement for that kind of object.
    WrongObjectType "wrong_object_type" "42809",
    /// NULL in a column that does not take it.
    ///
    /// Give a value, or the column a DEFAULT.
    NotNullViolation "not_null_violation" "23502",
    /// A key exists already.
    ///
    /// Use another key, or update the row that is there.
    UniqueViolation "unique_violation" "23505",
    /// A statement nests or chains too deep, or stands for too large a plan.
    ///
    /// Split the statement; lists of values fit into `insert()` or an array parameter.
    StatementTooComplex "statement_too_complex" "54001",
    /// A limit of the engine is exceeded.
    ///
    /// Split the work; `insert()` has no limit on rows, and `valueLimitBytes` raises that on values.
    ProgramLimitExceeded "program_limit_exceeded" "54000",
    /// Other writers kept committing first.
    ///
    /// Run the statement or the transaction again; `transaction()` does so by itself.
    SerializationFailure "serialization_failure" "40001",
    /// The caller gave the statement up.
    ///
    /// Nothing; the statement did nothing.
    QueryCanceled "query_canceled" "57014",
    /// The browser's storage quota is exceeded.
    ///
    /// Delete data, or ask the user for more storage.
    DiskFull "disk_full" "53100",
    /// The memory limit is reached.
    ///
    /// Read fewer rows at once, or raise `memoryLimitBytes`.
    OutOfMemory "out_of_memory" "53200",
    /// The database was closed.
    ///
    /// Open the database or the session again.
    DatabaseClosed "database_closed" "08003",
    /// Another connection holds the database and does not make way.
    ///
    /// Close it in the other tabs, and try again.
    ObjectInUse "object_in_use" "55006",
    /// The browser has ended a transaction for no reason that it tells; nothing of it is stored.
    ///
    /// Make the call again.
    IoError "io_error" "58030",
    /// The browser does not tell whether a write is stored, and what others wrote since has covered the trace.
    ///
    /// Look whether the write was kept.
    TransactionResolutionUnknown "transaction_resolution_unknown" "08007",
    /// Stored bytes are damaged.
    ///
    /// Restore the data from elsewhere; reading other tables still works.
    DataCorrupted "data_corrupted" "XX001",
    /// The engine is at fault.
    ///
    /// Report it with the statement.
    InternalError "internal_error" "XX000",
    /// The stored format is newer than this code.
    ///
    /// Update the package, or close tabs that run a newer one.
    SchemaTooNew "schema_too_new" "ZB001",
    /// The browser offers no storage here.
    ///
    /// Pass `onStorageUnavailable: 'memory'` to go on without keeping data.
    StorageUnavailable "storage_unavailable" "ZB002",
    /// The engine instance died.
    ///
    /// Look whether the write was kept, and make the call again: it starts a new engine.
    EngineCrashed "engine_crashed" "ZB003",
}

impl ErrorKind {
    /// Whether the values that a statement is given may be at fault, so that it may do with others.
    pub(crate) const fn is_of_values(self) -> bool {
        match self {
            ErrorKind::FeatureNotSupported
            | ErrorKind::InvalidQuery
            | ErrorKind::DataException
            | ErrorKind::DatatypeMismatch
            | ErrorKind::InvalidTextRepresentation
            | ErrorKind::NumericValueOutOfRange
            | ErrorKind::DivisionByZero
            | ErrorKind::StringDataRightTruncation
            | ErrorKind::InvalidDatetimeFormat
            | ErrorKind::DatetimeFieldOverflow
            | ErrorKind::CharacterNotInRepertoire
            | ErrorKind::InvalidParameterValue
            | ErrorKind::CheckViolation
            | ErrorKind::NotNullViolation
            | ErrorKind::UniqueViolation => true,
            ErrorKind::SyntaxError
            | ErrorKind::UndefinedTable
            | ErrorKind::UndefinedColumn
            | ErrorKind::UndefinedFunction
            | ErrorKind::UndefinedObject
            | ErrorKind::UndefinedSchema
            | ErrorKind::UndefinedParameter
            | ErrorKind::DuplicateTable
            | ErrorKind::DuplicateSchema
            | ErrorKind::DuplicateColumn
            | ErrorKind::AmbiguousColumn
            | ErrorKind::InvalidName
            | ErrorKind::ReservedName
            | ErrorKind::NameTooLong
            | ErrorKind::InvalidTableDefinition
            | ErrorKind::CannotModifySystemColumn
            | ErrorKind::GeneratedAlways
            | ErrorKind::DependentObjectsStillExist
            | ErrorKind::GroupingError
            | ErrorKind::CardinalityViolation
            | ErrorKind::InsufficientPrivilege
            | ErrorKind::InvalidTransactionState
            | ErrorKind::InFailedTransaction
            | ErrorKind::InvalidSavepoint
            | ErrorKind::DuplicateObject
            | ErrorKind::WrongObjectType
            | ErrorKind::StatementTooComplex
            | ErrorKind::ProgramLimitExceeded
            | ErrorKind::SerializationFailure
            | ErrorKind::QueryCanceled
            | ErrorKind::DiskFull
            | ErrorKind::OutOfMemory
            | ErrorKind::DatabaseClosed
            | ErrorKind::ObjectInUse
            | ErrorKind::IoError
            | ErrorKind::TransactionResolutionUnknown
            | ErrorKind::DataCorrupted
            | ErrorKind::InternalError
            | ErrorKind::SchemaTooNew
            | ErrorKind::StorageUnavailable
            | ErrorKind::EngineCrashed => false,
        }
    }

    /// Whether the same call may succeed when it is made again.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            ErrorKind::SerializationFailure | ErrorKind::ObjectInUse | ErrorKind::IoError | ErrorKind::EngineCrashed
        )
    }
}
