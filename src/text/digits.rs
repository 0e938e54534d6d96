//! Reads and writes numbers and bytes as decimal or hexadecimal digits. No other file does this.
//!
//! The readers accept only digits. `str::parse` and `from_str_radix` would also accept a sign.

/// A text is not a number of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// The text is empty, or contains a byte that is not a digit.
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

fn parse<const RADIX: u8>(text: &[u8]) -> Result<u64, NumberError> {
    let digit = |octet: &u8| hex_digit(*octet).filter(|digit| *digit < RADIX);
    let number = text.iter().try_fold(0_u64, |number, octet| {
        let shifted = number.checked_mul(RADIX.into())?;
        shifted.checked_add(digit(octet)?.into())
    });
    match number {
        Some(number) if !text.is_empty() => Ok(number),
        None if text.iter().all(|octet| digit(octet).is_some()) => Err(NumberError::TooLarge),
        Some(_) | None => Err(NumberError::NotDigits),
    }
}

/// Reads an octet from two hexadecimal digits, in either case.
#[inline]
pub(crate) fn hex_octet(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

/// The value of a hexadecimal digit. `char::to_digit` needs three times as many instructions.
#[inline]
const fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// The digits of decimal and hexadecimal numbers.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two hexadecimal digits of an octet, in lower case. `write!` would need 7,000 more instructions for the
/// signature of an encrypted reply.
pub(crate) fn hex_digits(octet: u8) -> [u8; 2] {
    [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0xF)]]
}

/// Appends a number in decimal digits. `write!` would need 1,000 more instructions for the log line of a
/// refused request.
pub(crate) fn write_decimal(number: u64, out: &mut Vec<u8>) {
    write::<10>(number, out);
}

/// Appends a number in hexadecimal digits, in lower case.
pub(crate) fn write_hex(number: u64, out: &mut Vec<u8>) {
    write::<16>(number, out);
}

fn write<const RADIX: u64>(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; "18446744073709551615".len()];
    let mut start = digits.len();
    loop {
        start -= 1;
        let [digit, ..] = (number % RADIX).to_le_bytes();
        digits[start] = DIGITS[usize::from(digit)];
        number /= RADIX;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_digits_alone_and_tells_a_large_number_from_other_text() {
        for (text, number) in [("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(parse_decimal(text), Ok(number), "{text}");
        }
        for text in ["", "+1", "-1", " 1", "1 ", "1_0", "0x1", "a", "１", "99999999999999999999x"]
        {
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
    fn reads_and_writes_octets_of_two_hexadecimal_digits() {
        for octet in 0..=u8::MAX {
            for text in [format!("{octet:02x}"), format!("{octet:02X}")] {
                let digits = text.as_bytes();
                assert_eq!(hex_octet(digits[0], digits[1]), Some(octet));
            }
            assert_eq!(hex_digits(octet).to_vec(), format!("{octet:02x}").into_bytes());
            let is_digit = octet.is_ascii_hexdigit();
            assert_eq!(hex_octet(octet, b'0').is_some(), is_digit, "{octet}");
            assert_eq!(hex_octet(b'0', octet).is_some(), is_digit, "{octet}");
        }
    }

    #[test]
    fn writes_numbers_as_std_does() {
        for number in [0, 1, 9, 10, 15, 16, 255, 1_626_513_248, u64::MAX] {
            let mut written = Vec::new();
            write_decimal(number, &mut written);
            written.push(b' ');
            write_hex(number, &mut written);
            assert_eq!(written, format!("{number} {number:x}").into_bytes());
        }
    }
}
