//! The part of the `zstd` crate's interface that arrow-ipc names, without the C library behind it.
//!
//! No Arrow IPC stream is compressed with zstd here, and a C compiler for wasm32 would be needed to build the real one.

use std::io;

pub mod zstd_safe {
    pub type CompressionLevel = i32;
}

pub fn compression_level_range() -> std::ops::RangeInclusive<i32> {
    1..=0
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "zstd compression is not built in"))
}

pub mod bulk {
    use std::{io, marker::PhantomData};

    pub struct Compressor<'a>(PhantomData<&'a ()>);

    impl Compressor<'static> {
        pub fn new(_level: i32) -> io::Result<Self> {
            Ok(Self(PhantomData))
        }
    }

    impl Compressor<'_> {
        pub fn compress(&mut self, _data: &[u8]) -> io::Result<Vec<u8>> {
            super::unsupported()
        }
    }

    pub struct Decompressor<'a>(PhantomData<&'a ()>);

    impl Decompressor<'static> {
        pub fn new() -> io::Result<Self> {
            Ok(Self(PhantomData))
        }
    }

    impl Decompressor<'_> {
        pub fn decompress(&mut self, _data: &[u8], _capacity: usize) -> io::Result<Vec<u8>> {
            super::unsupported()
        }
    }
}
