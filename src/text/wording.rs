//! The macros for texts in both languages. A text that lacks a language does not compile.
//!
//! - `wording!` writes a table of texts as an `impl Display`.
//! - `say!` writes a text to a formatter, and `said!` returns it.
//!
//! Both languages stand side by side, and use the same values:
//! `said!(en: "{count} lines", zh: "{count} 行")`.

/// Implements `Display` for an enum, as an exhaustive `match`. Each row is a pattern and the arguments of `say!`.
macro_rules! wording {
    ($type:ty { $($case:pat $(if $guard:expr)? => en: $en:literal, zh: $zh:literal $(, $value:expr)*;)+ }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($case $(if $guard)? => $crate::text::wording::say!(f, en: $en, zh: $zh $(, $value)*),)+
                }
            }
        }
    };
    // A table without Chinese.
    ($type:ty { $($case:pat $(if $guard:expr)? => $($text:expr),+;)+ }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $($case $(if $guard)? => write!(f, $($text),+),)+ }
            }
        }
    };
}

/// Writes a text to a formatter, in the language of this process.
macro_rules! say {
    ($f:expr, en: $en:literal, zh: $zh:literal $(, $value:expr)*) => {
        match $crate::text::language::language() {
            $crate::text::language::Language::English => write!($f, $en $(, $value)*),
            $crate::text::language::Language::Chinese => write!($f, $zh $(, $value)*),
        }
    };
}

/// Returns a text in the language of this process.
macro_rules! said {
    (en: $en:literal, zh: $zh:literal $(, $value:expr)*) => {
        match $crate::text::language::language() {
            $crate::text::language::Language::English => format!($en $(, $value)*),
            $crate::text::language::Language::Chinese => format!($zh $(, $value)*),
        }
    };
}

pub(crate) use {said, say, wording};
