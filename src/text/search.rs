//! Searches for octets, eight at a time. One at a time, an echo message would take 4,200 more instructions and a refused
//! signature 2,700 (`tests/bench/count`).

/// The lowest bit of each octet.
const LOW: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each octet.
const HIGH: u64 = LOW << 7;

/// Eight octets, the first in the lowest bits. Each test sets the highest bit of the matching octets. Bits above the lowest
/// match may be wrong because of a borrow or carry: use only the lowest.
#[derive(Clone, Copy)]
struct Eight(u64);

impl Eight {
    /// The octets that are equal to `sought`.
    #[inline]
    const fn equal(self, sought: u8) -> u64 {
        Self(self.0 ^ (LOW * sought as u64)).below(1)
    }

    /// The octets below a limit of at most 0x80.
    #[inline]
    const fn below(self, limit: u8) -> u64 {
        self.0.wrapping_sub(LOW * limit as u64) & !self.0 & HIGH
    }

    /// The octets above `~`.
    #[inline]
    const fn above_printable(self) -> u64 {
        (((self.0 & !HIGH) + LOW) | self.0) & HIGH
    }
}

/// The position of the first octet that is `sought`.
pub(crate) fn find(bytes: &[u8], sought: u8) -> Option<usize> {
    position(bytes, |eight| eight.equal(sought), |octet| *octet == sought)
}

/// The position of the first octet that is below the space or one of these.
pub(crate) fn find_control_or<const N: usize>(bytes: &[u8], sought: [u8; N]) -> Option<usize> {
    position(
        bytes,
        |eight| {
            sought.iter().fold(eight.below(b' '), |found, octet| {
                found | eight.equal(*octet)
            })
        },
        |octet| *octet < b' ' || sought.contains(octet),
    )
}

/// The number of octets at the start that are from `lowest` to `~`.
pub(crate) fn printable_prefix(bytes: &[u8], lowest: u8) -> usize {
    let other = position(
        bytes,
        |eight| eight.below(lowest) | eight.above_printable(),
        |octet| !(lowest..=b'~').contains(octet),
    );
    other.unwrap_or(bytes.len())
}

/// The position of the first octet that matches: by `matches` for eight octets, by `is_match` for the last few.
#[inline]
fn position(
    bytes: &[u8],
    matches: impl Fn(Eight) -> u64,
    is_match: impl Fn(&u8) -> bool,
) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let found = matches(Eight(u64::from_le_bytes(*eight)));
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    Some(8 * eights.len() + rest.iter().position(is_match)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each octet at each position, among octets that could cause a borrow or a carry.
    #[test]
    fn finds_the_same_octet_as_a_search_one_by_one() {
        for around in [0x00, 0x01, 0x1F, 0x20, b'a', b'~', 0x7F, 0x80, 0xEF, 0xFF] {
            for octet in 0..=0xFF {
                for position in 0..19 {
                    let mut bytes = [around; 19];
                    bytes[position] = octet;
                    let first = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|at| is(*at));
                    assert_eq!(find(&bytes, b'a'), first(&|at| at == b'a'), "{bytes:?}");
                    assert_eq!(
                        find_control_or(&bytes, [0xEF]),
                        first(&|at| at < b' ' || at == 0xEF),
                        "{bytes:?}"
                    );
                    for lowest in [b' ', b'!'] {
                        assert_eq!(
                            printable_prefix(&bytes, lowest),
                            first(&|at| !(lowest..=b'~').contains(&at)).unwrap_or(bytes.len()),
                            "{bytes:?}"
                        );
                    }
                }
            }
        }
    }
}
