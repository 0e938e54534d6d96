//! Numbers and bytes as decimal and hexadecimal digits, read and written: the only place that does so.
//!
//! The readers take digits and nothing else. `str::parse` and `from_str_radix` would also take a sign.

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// The text is empty, or holds a byte that is not a digit.
    NotDigits,
    /// All bytes are digits, but the number does not fit 64 bits.
    TooLarge,
}

/// Reads `1*DIGIT`. Leading zeros are allowed.
///
/// # Errors
/// [`NumberError`]
pub(crate) fn parse_decimal(text: impl AsRef<[u8]>) -> Result<u64, NumberError> {
    parse::<10>(text.as_ref())
}

/// Reads `1*HEXDIG`, in either case. Leading zeros are allowed.
///
/// # Errors
/// [`NumberError`]
pub(crate) fn parse_hex(text: impl AsRef<[u8]>) -> Result<u64, NumberError> {
    parse::<16>(text.as_ref())
}

fn parse<const RADIX: u32>(text: &[u8]) -> Result<u64, NumberError> {
    if text.is_empty() {
        return Err(NumberError::NotDigits);
    }
    // A number that is too large is read to its end, because what follows may not be a digit.
    let mut number = Some(0_u64);
    for octet in text {
        let digit = char::from(*octet)
            .to_digit(RADIX)
            .ok_or(NumberError::NotDigits)?;
        number =
            number.and_then(|number| number.checked_mul(RADIX.into())?.checked_add(digit.into()));
    }
    number.ok_or(NumberError::TooLarge)
}

/// The value of a hexadecimal digit in either case, in a third of the instructions of `char::to_digit`.
pub(crate) const fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet & 0xF),
        b'a'..=b'f' | b'A'..=b'F' => Some((octet & 0xF).saturating_add(9)),
        _ => None,
    }
}

/// The octet that two hexadecimal digits are.
pub(crate) fn hex_octet(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

/// Appends a number in decimal digits. `write!` would do, at many times the instructions on the path of
/// every message.
pub(crate) fn write_decimal(number: u64, out: &mut Vec<u8>) {
    write_digits(number, |rest| (rest / 10, rest % 10), out);
}

/// Appends a number in lower-case hexadecimal digits.
pub(crate) fn write_hex(number: u64, out: &mut Vec<u8>) {
    write_digits(number, |rest| (rest >> 4, rest & 0xF), out);
}

/// Each digit split off from behind.
fn write_digits(number: u64, split: impl Fn(u64) -> (u64, u64), out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut count = 0_usize;
    for place in digits.iter_mut().rev() {
        let (quotient, digit) = split(rest);
        let digit = b"0123456789abcdef".get(usize::try_from(digit).unwrap_or(0));
        *place = digit.copied().unwrap_or(b'0');
        count = count.saturating_add(1);
        rest = quotient;
        if rest == 0 {
            break;
        }
    }
    let (_, written) = digits
        .split_at_checked(digits.len().saturating_sub(count))
        .unwrap_or((&[], &digits));
    out.extend_from_slice(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_digits_alone_and_tells_a_large_number_from_other_text() {
        for (text, number) in [("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(parse_decimal(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1_0",
            "0x1",
            "a",
            "１",
            "99999999999999999999x",
        ] {
            assert_eq!(parse_decimal(text), Err(NumberError::NotDigits), "{text}");
        }
        for text in ["18446744073709551616", "99999999999999999999"] {
            assert_eq!(parse_decimal(text), Err(NumberError::TooLarge), "{text}");
        }
        assert_eq!(parse_hex("00Ff"), Ok(255));
        assert_eq!(parse_hex("ffffffffffffffff"), Ok(u64::MAX));
        assert_eq!(parse_hex("10000000000000000"), Err(NumberError::TooLarge));
        for text in ["", "g", "0x1", "+1"] {
            assert_eq!(parse_hex(text), Err(NumberError::NotDigits), "{text}");
        }
    }

    #[test]
    fn digits_are_those_of_std() {
        for octet in 0..=0xFF {
            let digit = char::from(octet).to_digit(16);
            assert_eq!(hex_digit(octet).map(u32::from), digit, "{octet}");
        }
    }

    #[test]
    fn numbers_are_written_as_std_writes_them() {
        for number in [0, 1, 9, 10, 15, 16, 255, 1_626_513_248, u64::MAX] {
            let mut written = Vec::new();
            write_decimal(number, &mut written);
            written.push(b' ');
            write_hex(number, &mut written);
            assert_eq!(written, format!("{number} {number:x}").into_bytes());
        }
    }
}
