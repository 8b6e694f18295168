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

error_kinds! {
    /// The text is not a statement.
    SyntaxError "syntax_error" "42601",
    /// The statement is understood but not offered.
    FeatureNotSupported "feature_not_supported" "0A000",
    /// No table has that name.
    UndefinedTable "undefined_table" "42P01",
    /// No column in scope has that name.
    UndefinedColumn "undefined_column" "42703",
    /// No function has that name and these argument types.
    UndefinedFunction "undefined_function" "42883",
    /// No type or other object has that name.
    UndefinedObject "undefined_object" "42704",
    /// No namespace has that name.
    UndefinedSchema "undefined_schema" "3F000",
    /// A parameter is named that no value was given for, or the other way round.
    UndefinedParameter "undefined_parameter" "42P02",
    /// The table exists already.
    DuplicateTable "duplicate_table" "42P07",
    /// The namespace exists already.
    DuplicateSchema "duplicate_schema" "42P06",
    /// A column is named twice.
    DuplicateColumn "duplicate_column" "42701",
    /// A column name fits several columns in scope.
    AmbiguousColumn "ambiguous_column" "42702",
    /// A name is empty or has the wrong form.
    InvalidName "invalid_name" "42602",
    /// A name belongs to the system.
    ReservedName "reserved_name" "42939",
    /// A name is longer than 64 characters.
    NameTooLong "name_too_long" "42622",
    /// A table definition contradicts itself.
    InvalidTableDefinition "invalid_table_definition" "42P16",
    /// A system column is written to.
    CannotModifySystemColumn "cannot_modify_system_column" "428C9",
    /// An object is still in use by others.
    DependentObjectsStillExist "dependent_objects_still_exist" "2BP01",
    /// A column is neither grouped nor aggregated.
    GroupingError "grouping_error" "42803",
    /// The statement is well formed but has no meaning here, for instance an operator without that combination of types.
    InvalidQuery "invalid_query" "42000",
    /// Evaluating an expression failed on a value.
    DataException "data_exception" "22000",
    /// A value or expression has a type that does not fit.
    DatatypeMismatch "datatype_mismatch" "42804",
    /// A text is not the text form of the type.
    InvalidTextRepresentation "invalid_text_representation" "22P02",
    /// A number does not fit the type.
    NumericValueOutOfRange "numeric_value_out_of_range" "22003",
    /// A number is divided by zero.
    DivisionByZero "division_by_zero" "22012",
    /// A text is longer than the column allows.
    StringDataRightTruncation "string_data_right_truncation" "22001",
    /// A text is not a date or time.
    InvalidDatetimeFormat "invalid_datetime_format" "22007",
    /// A text holds a code unit that UTF-8 has no form for.
    CharacterNotInRepertoire "character_not_in_repertoire" "22021",
    /// An argument is outside what the function or call takes.
    InvalidParameterValue "invalid_parameter_value" "22023",
    /// A subquery used as a value returns more than one row.
    CardinalityViolation "cardinality_violation" "21000",
    /// The session's role may not do this.
    InsufficientPrivilege "insufficient_privilege" "42501",
    /// A row does not satisfy a CHECK.
    CheckViolation "check_violation" "23514",
    /// A statement does not fit the state of the transaction, for instance COMMIT outside of one.
    InvalidTransactionState "invalid_transaction_state" "25000",
    /// A statement of the transaction has failed, and it has not been rolled back yet.
    InFailedTransaction "in_failed_transaction" "25P02",
    /// No savepoint has that name.
    InvalidSavepoint "invalid_savepoint" "3B001",
    /// An index or constraint exists already.
    DuplicateObject "duplicate_object" "42710",
    /// The object is of another kind than the statement takes.
    WrongObjectType "wrong_object_type" "42809",
    /// NULL in a column that does not take it.
    NotNullViolation "not_null_violation" "23502",
    /// A key exists already.
    UniqueViolation "unique_violation" "23505",
    /// A statement nests or chains too deep.
    StatementTooComplex "statement_too_complex" "54001",
    /// A limit of the engine is exceeded.
    ProgramLimitExceeded "program_limit_exceeded" "54000",
    /// Other writers kept committing first.
    SerializationFailure "serialization_failure" "40001",
    /// The caller gave the statement up.
    QueryCanceled "query_canceled" "57014",
    /// The browser's storage quota is exceeded.
    DiskFull "disk_full" "53100",
    /// The memory limit is reached.
    OutOfMemory "out_of_memory" "53200",
    /// The database was closed.
    DatabaseClosed "database_closed" "08003",
    /// Another connection holds the object.
    ObjectInUse "object_in_use" "55006",
    /// Stored bytes are damaged.
    DataCorrupted "data_corrupted" "XX001",
    /// The engine is at fault.
    InternalError "internal_error" "XX000",
    /// The stored format is newer than this code.
    SchemaTooNew "schema_too_new" "ZB001",
    /// The browser offers no storage here.
    StorageUnavailable "storage_unavailable" "ZB002",
    /// The engine instance died.
    EngineCrashed "engine_crashed" "ZB003",
}

impl ErrorKind {
    /// Whether the same call may succeed when it is made again.
    pub const fn is_retryable(self) -> bool {
        matches!(self, ErrorKind::SerializationFailure | ErrorKind::ObjectInUse | ErrorKind::EngineCrashed)
    }
}
