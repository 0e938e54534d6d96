//! A table of sentences as an `impl Display`: the form of the `wording.rs` of each room.

/// Implements `Display` for an enum. Each row is a case and the arguments of `write!`; the table is an
/// exhaustive `match`.
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
