/// A value as JavaScript would see it or send it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Js {
    Null,
    Bool(bool),
    F64(f64),
    I64(i64),
    U64(u64),
    I32(i32),
    Str(String),
    Bytes(Vec<u8>),
    DateMs(f64),
    Json(String),
    TsUs(i64),
    List(Vec<Js>),
    Struct(Vec<(String, Js)>),
}

/// Reads a block of results, as the JavaScript side does.
pub(crate) fn read_block(bytes: &[u8]) -> Vec<Vec<Js>> {
    let mut reader = Reader { bytes, at: 0 };
    let n_rows = reader.u32();
    let n_cols = reader.u32();
    let columns = (0..n_cols).map(|_| reader.column(n_rows)).collect();
    assert_eq!(reader.at, bytes.len(), "the block ends with its last column");
    columns
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn column(&mut self, n: usize) -> Vec<Js> {
        let header: [u8; 8] = self.take(8).try_into().unwrap();
        assert_eq!(header[2..], [0; 6]);
        let nulls = if header[1] == 1 { self.padded(n) } else { vec![0; n] };
        let mut values: Vec<Js> = match header[0] {
            0 => vec![Js::Null; n],
            1 => self.padded(n).into_iter().map(|b| Js::Bool(b == 1)).collect(),
            2 => self.numbers(n, f64::from_le_bytes).map(Js::F64).collect(),
            3 => self.numbers(n, i64::from_le_bytes).map(Js::I64).collect(),
            4 => self.strings(n).into_iter().map(Js::Str).collect(),
            5 => self.byte_strings(n).into_iter().map(Js::Bytes).collect(),
            7 => self.strings(n).into_iter().map(Js::Json).collect(),
            8 => {
                let lengths: Vec<u32> = self.numbers(n, u32::from_le_bytes).collect();
                let mut items = self.column(lengths.iter().sum::<u32>() as usize).into_iter();
                lengths.into_iter().map(|length| Js::List(items.by_ref().take(length as usize).collect())).collect()
            }
            9 => {
                let n_fields = self.u32();
                assert_eq!(self.u32(), 0);
                let mut structs = vec![Vec::new(); n];
                for _ in 0..n_fields {
                    let n_bytes = self.u32();
                    assert_eq!(self.u32(), 0);
                    let name = String::from_utf8(self.padded(n_bytes)).unwrap();
                    for (fields, value) in structs.iter_mut().zip(self.column(n)) {
                        fields.push((name.clone(), value));
                    }
                }
                structs.into_iter().map(Js::Struct).collect()
            }
            11 => self.numbers(n, i32::from_le_bytes).map(Js::I32).collect(),
            12 => self.numbers(n, i64::from_le_bytes).map(Js::TsUs).collect(),
            13 => self.numbers(n, u64::from_le_bytes).map(Js::U64).collect(),
            other => panic!("kind {other} in a result"),
        };
        for (value, is_null) in values.iter_mut().zip(nulls) {
            if is_null == 1 {
                assert!(is_blank(value), "{value:?} under a NULL");
                *value = Js::Null;
            }
        }
        values
    }

    fn strings(&mut self, n: usize) -> Vec<String> {
        let n_bytes = self.u32();
        assert_eq!(self.u32(), 0);
        let lengths: Vec<u32> = self.numbers(n, u32::from_le_bytes).collect();
        // As JavaScript: decode the text whole, then cut it by code units.
        let units: Vec<u16> = String::from_utf8(self.padded(n_bytes)).unwrap().encode_utf16().collect();
        assert_eq!(lengths.iter().sum::<u32>() as usize, units.len());
        let mut units = units.into_iter();
        lengths
            .into_iter()
            .map(|length| String::from_utf16(&units.by_ref().take(length as usize).collect::<Vec<_>>()).unwrap())
            .collect()
    }

    fn byte_strings(&mut self, n: usize) -> Vec<Vec<u8>> {
        let n_bytes = self.u32();
        assert_eq!(self.u32(), 0);
        let lengths: Vec<u32> = self.numbers(n, u32::from_le_bytes).collect();
        assert_eq!(lengths.iter().sum::<u32>() as usize, n_bytes);
        let mut bytes = self.padded(n_bytes).into_iter();
        lengths.into_iter().map(|length| bytes.by_ref().take(length as usize).collect()).collect()
    }

    fn numbers<const N: usize, T>(&mut self, n: usize, read: impl Fn([u8; N]) -> T) -> std::vec::IntoIter<T> {
        let bytes = self.padded(n * N);
        bytes.as_chunks().0.iter().map(|chunk| read(*chunk)).collect::<Vec<_>>().into_iter()
    }

    fn u32(&mut self) -> usize {
        u32::from_le_bytes(self.take(4).try_into().unwrap()) as usize
    }

    fn padded(&mut self, n: usize) -> Vec<u8> {
        assert_eq!(self.at % 8, 0, "every buffer is aligned");
        let taken = self.take(n).to_vec();
        let n_padding = self.at.next_multiple_of(8) - self.at;
        assert!(self.take(n_padding).iter().all(|b| *b == 0), "padding is zero");
        taken
    }

    fn take(&mut self, n: usize) -> &[u8] {
        self.at += n;
        &self.bytes[self.at - n..self.at]
    }
}

fn is_blank(value: &Js) -> bool {
    match value {
        Js::Null | Js::Struct(_) => true,
        Js::Bool(value) => !value,
        Js::F64(value) | Js::DateMs(value) => value.to_bits() == 0,
        Js::I64(value) | Js::TsUs(value) => *value == 0,
        Js::U64(value) => *value == 0,
        Js::I32(value) => *value == 0,
        Js::Str(text) | Js::Json(text) => text.is_empty(),
        Js::Bytes(bytes) => bytes.is_empty(),
        Js::List(items) => items.is_empty(),
    }
}

/// Writes a block of input columns, as the JavaScript side does: of one kind if the values are, else of several.
pub(crate) fn write_block(columns: &[Vec<Js>]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u32(&mut out, columns.first().map_or(0, Vec::len));
    put_u32(&mut out, columns.len());
    for column in columns {
        write_column(&mut out, column);
    }
    out
}

fn kind_of(value: &Js) -> u8 {
    match value {
        Js::Null => 0,
        Js::Bool(_) => 1,
        Js::F64(_) => 2,
        Js::I64(_) => 3,
        Js::Str(_) => 4,
        Js::Bytes(_) => 5,
        Js::DateMs(_) => 6,
        Js::Json(_) => 7,
        Js::I32(_) => 11,
        Js::U64(_) | Js::TsUs(_) | Js::List(_) | Js::Struct(_) => panic!("{value:?} is not an input"),
    }
}

fn write_column(out: &mut Vec<u8>, values: &[Js]) {
    let mut kinds: Vec<u8> = Vec::new();
    for kind in values.iter().map(kind_of).filter(|kind| *kind != 0) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    match kinds[..] {
        [] => out.extend([0; 8]),
        [kind] => write_plain(out, kind, values),
        _ => {
            out.extend([10, 0, 0, 0, 0, 0, 0, 0]);
            out.extend(values.iter().map(kind_of));
            pad(out);
            put_u32(out, kinds.len());
            put_u32(out, 0);
            for kind in kinds {
                let part: Vec<Js> = values.iter().filter(|value| kind_of(value) == kind).cloned().collect();
                out.extend([kind, 0, 0, 0]);
                put_u32(out, part.len());
                write_plain(out, kind, &part);
            }
        }
    }
}

fn write_plain(out: &mut Vec<u8>, kind: u8, values: &[Js]) {
    let has_nulls = values.contains(&Js::Null);
    out.extend([kind, u8::from(has_nulls), 0, 0, 0, 0, 0, 0]);
    if has_nulls {
        out.extend(values.iter().map(|value| u8::from(*value == Js::Null)));
        pad(out);
    }
    match kind {
        4 | 7 => {
            let texts: Vec<&str> =
                values.iter().map(|value| if let Js::Str(text) | Js::Json(text) = value { text } else { "" }).collect();
            write_variable(
                out,
                texts.iter().map(|text| text.encode_utf16().count()).collect(),
                texts.concat().as_bytes(),
            );
        }
        5 => {
            let bytes: Vec<&[u8]> =
                values.iter().map(|value| if let Js::Bytes(bytes) = value { bytes.as_slice() } else { &[] }).collect();
            write_variable(out, bytes.iter().map(|bytes| bytes.len()).collect(), &bytes.concat());
        }
        _ => {
            for value in values {
                match value {
                    Js::Bool(value) => out.push(u8::from(*value)),
                    Js::F64(value) | Js::DateMs(value) => out.extend(value.to_le_bytes()),
                    Js::I64(value) => out.extend(value.to_le_bytes()),
                    Js::I32(value) => out.extend(value.to_le_bytes()),
                    _ => out.resize(
                        out.len()
                            + if kind == 1 {
                                1
                            } else if kind == 11 {
                                4
                            } else {
                                8
                            },
                        0,
                    ),
                }
            }
            pad(out);
        }
    }
}

fn write_variable(out: &mut Vec<u8>, lengths: Vec<usize>, bytes: &[u8]) {
    put_u32(out, bytes.len());
    put_u32(out, 0);
    for length in lengths {
        put_u32(out, length);
    }
    pad(out);
    out.extend(bytes);
    pad(out);
}

fn put_u32(out: &mut Vec<u8>, value: usize) {
    out.extend(u32::try_from(value).unwrap().to_le_bytes());
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}
