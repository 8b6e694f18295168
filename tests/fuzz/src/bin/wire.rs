//! Any bytes are a block of columns or an error, and every column is of each type or an error.
#![no_main]

use kalamdb_types::SqlType;
use kalamdb_types::wire::decode_block;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = decode_block(bytes) else { return };
    for column in &block.columns {
        assert_eq!(column.len(), block.n_rows);
        if let (1, Ok((array, field))) = (column.len(), column.scalar_array()) {
            assert_eq!((array.len(), array.data_type()), (1, field.data_type()));
        }
    }
    for sql_type in SqlType::all_examples() {
        // A column is consumed by its conversion.
        for column in decode_block(bytes).into_iter().flat_map(|block| block.columns) {
            if let Ok(array) = column.into_typed(&sql_type) {
                assert_eq!((array.len(), array.data_type()), (block.n_rows, &sql_type.arrow()));
            }
        }
    }
});
