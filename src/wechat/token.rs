//! The token: the secret that the account's server and WeChat share (接入指南).

use std::fmt;

/// Minimum and maximum number of characters of a token.
pub(super) const LENGTH_MIN: usize = 3;
pub(super) const LENGTH_MAX: usize = 32;

/// The token of the account. `Debug` prints only the type name, and there is no `Display`, so no log or error can
/// show the token.
pub struct Token(String);

/// The reason why a text is not a token. The error shows no part of the text, because the text may be the secret
/// with a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The text does not have 3 to 32 characters.
    Length {
        /// The number of characters of the text.
        length: usize,
    },
    /// A character is not in A-Z, a-z or 0-9.
    Character {
        /// The position of the character, counted from 1.
        position: usize,
    },
}

impl Token {
    /// Parses a token as the WeChat console accepts it: 3 to 32 letters and digits.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let is_invalid = |character: char| !character.is_ascii_alphanumeric();
        if let Some(index) = text.chars().position(is_invalid) {
            let position = index + 1;
            return Err(TokenError::Character { position });
        }
        match text.len() {
            LENGTH_MIN..=LENGTH_MAX => Ok(Self(text.to_owned())),
            length => Err(TokenError::Length { length }),
        }
    }

    /// The secret itself, for signing.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_3_to_32_letters_and_digits_and_shows_nothing() {
        let parse = |text: &str| Token::parse(text).map(|token| format!("{token:?}"));
        let (longest, too_long) = ("a".repeat(32), "a".repeat(33));
        for text in ["abc", "hello2021", &longest] {
            assert_eq!(parse(text), Ok("Token".to_owned()));
        }
        for (text, length) in [("ab", 2), (&too_long, 33)] {
            assert_eq!(parse(text), Err(TokenError::Length { length }));
        }
        for (text, position) in [("abc def", 4), ("令牌令牌", 1)] {
            assert_eq!(parse(text), Err(TokenError::Character { position }));
        }
    }
}
