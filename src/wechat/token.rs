//! The token: the secret that the account's server and WeChat share (接入指南).

use std::fmt;

/// The token of the account: the secret that its server and WeChat share.
///
/// It prints nothing in `Debug` and has no `Display`, so that no log or error can hold it.
pub struct Token(pub(super) String);

/// Why a text cannot be a token. It names no character of the text, which may be the secret with a
/// slip in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// So many characters, where 3 to 32 are allowed.
    Length(usize),
    /// The character at this place, counted from 1, is neither a letter of A-Z or a-z nor a digit.
    Character(usize),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "token of {length} characters, 3 to 32 allowed"),
            Self::Character(place) => write!(
                f,
                "token with another character at place {place}, only A-Z a-z 0-9 allowed"
            ),
        }
    }
}

impl std::error::Error for TokenError {}

impl Token {
    /// The token as it stands in the WeChat console: 3 to 32 letters and digits.
    ///
    /// # Errors
    /// [`TokenError`] for anything else, as the console refuses it too.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if let Some(place) = text
            .chars()
            .position(|character| !character.is_ascii_alphanumeric())
        {
            return Err(TokenError::Character(place.saturating_add(1)));
        }
        match text.len() {
            3..=32 => Ok(Self(text.to_owned())),
            length => Err(TokenError::Length(length)),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn tokens_are_3_to_32_letters_and_digits_and_print_nothing() {
        assert_eq!(format!("{:?}", Token::parse("hello2021").unwrap()), "Token");
        assert_eq!(Token::parse("ab").unwrap_err(), TokenError::Length(2));
        assert_eq!(
            Token::parse(&"a".repeat(33)).unwrap_err(),
            TokenError::Length(33)
        );
        assert_eq!(
            Token::parse("abc def").unwrap_err(),
            TokenError::Character(4)
        );
        assert_eq!(
            Token::parse("令牌令牌").unwrap_err(),
            TokenError::Character(1)
        );
        assert!(Token::parse(&"a".repeat(32)).is_ok());
    }
}
