//! The macros for texts in both languages. A text that lacks a language does not compile.
//!
//! - `wording!` writes a table of texts as an `impl Display`.
//! - `say!` writes a text to a formatter, and `said!` returns it.
//! - `reason!` returns a text as the `Reason` of a rejection.
//!
//! The alternate form (`{:#}`) of what `wording!` implements is English in every process.
//!
//! Both texts use the same values: `said!(en: "{count} lines", zh: "{count} 行")`.

/// Returns the arguments of one formatting call for both languages, because the code of two calls is much larger.
macro_rules! format_args_in {
    ($language:expr, $en:literal, $zh:literal $(, $value:expr)*) => {
        match $language {
            $crate::text::language::Language::English => format_args!($en $(, $value)*),
            $crate::text::language::Language::Chinese => format_args!($zh $(, $value)*),
        }
    };
}

/// Implements `Display` for an enum, as an exhaustive `match`. Each row is a pattern and the arguments of `say!`.
macro_rules! wording {
    ($type:ty { $($case:pat $(if $guard:expr)? => en: $en:literal, zh: $zh:literal $(, $value:expr)*;)+ }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let language = $crate::text::language::language_for(f);
                match self {
                    $($case $(if $guard)? => {
                        let text = $crate::text::wording::format_args_in!(language, $en, $zh $(, $value)*);
                        f.write_fmt(text)
                    })+
                }
            }
        }
    };
}

/// Writes a text to a formatter, in the language of this process.
macro_rules! say {
    ($f:expr, en: $en:literal, zh: $zh:literal $(, $value:expr)*) => {
        {
            let language = $crate::text::language::language();
            let text = $crate::text::wording::format_args_in!(language, $en, $zh $(, $value)*);
            $f.write_fmt(text)
        }
    };
}

/// Returns a text in the language of this process.
macro_rules! said {
    (en: $en:literal, zh: $zh:literal $(, $value:expr)*) => {
        {
            let language = $crate::text::language::language();
            let text = $crate::text::wording::format_args_in!(language, $en, $zh $(, $value)*);
            std::fmt::format(text)
        }
    };
}

/// Returns the reason of a rejection. Values that are texts need the alternate form (`{:#}`) in the English text.
macro_rules! reason {
    (en: $en:literal, zh: $zh:literal) => {
        match $crate::text::language::language() {
            $crate::text::language::Language::English => {
                $crate::text::log_note::Reason { log: format!($en).into(), english: None }
            }
            $crate::text::language::Language::Chinese => $crate::text::log_note::Reason {
                log: format!($zh).into(),
                english: Some(format!($en).into()),
            },
        }
    };
}

pub(crate) use {format_args_in, reason, said, say, wording};
