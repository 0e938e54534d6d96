//! The macro `wording!`. The `wording.rs` of each module, and `http/error.rs`, use it to write a table of texts as an
//! `impl Display`.

/// Implements `Display` for an enum, as an exhaustive `match`. Each row is a pattern and the arguments of `write!`.
macro_rules! wording {
    ($type:ty { $($case:pat $(if $guard:expr)? => $($text:expr),+;)+ }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $($case $(if $guard)? => write!(f, $($text),+),)+ }
            }
        }
    };
}

pub(crate) use wording;
