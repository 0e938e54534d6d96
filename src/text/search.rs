//! Searches for bytes, eight at a time.

/// A one in each octet.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The top bit of each octet.
const TOP: u64 = EACH << 7;

/// Eight octets, the first in the lowest bits. What is asked of them is answered by the top bits of
/// those that it is true of, and of no other in front of the first of these: a borrow or a carry can
/// only reach those behind it.
#[derive(Clone, Copy)]
struct Eight(u64);

impl Eight {
    #[inline]
    const fn new(octets: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(octets))
    }

    /// Those that are this octet.
    #[inline]
    const fn equal(self, octet: u8) -> u64 {
        Self(self.0 ^ EACH.wrapping_mul(octet as u64)).below(1)
    }

    /// Those that are one of these.
    #[inline]
    fn equal_any<const N: usize>(self, sought: [u8; N]) -> u64 {
        let each = sought.iter().map(|octet| self.equal(*octet));
        each.fold(0, |all, one| all | one)
    }

    /// Those below a limit of at most 0x80.
    #[inline]
    const fn below(self, limit: u8) -> u64 {
        self.0.wrapping_sub(EACH.wrapping_mul(limit as u64)) & !self.0 & TOP
    }

    /// Those that are DEL or no ASCII.
    #[inline]
    const fn above_printable(self) -> u64 {
        (self.0 & !TOP).wrapping_add(EACH) & TOP | self.0 & TOP
    }
}

/// Where the first octet stands that is one of these.
pub(crate) fn find<const N: usize>(bytes: &[u8], sought: [u8; N]) -> Option<usize> {
    first(
        bytes,
        |eight| eight.equal_any(sought),
        |octet| sought.contains(octet),
    )
}

/// Where the first octet stands that is below the space or one of these.
pub(crate) fn find_control_or<const N: usize>(bytes: &[u8], sought: [u8; N]) -> Option<usize> {
    first(
        bytes,
        |eight| eight.below(b' ') | eight.equal_any(sought),
        |octet| *octet < b' ' || sought.contains(octet),
    )
}

/// How many octets at the front are ASCII from `lowest` on that can be seen, or are a space.
pub(crate) fn printable(bytes: &[u8], lowest: u8) -> usize {
    let found = |eight: Eight| eight.below(lowest) | eight.above_printable();
    let is_other = |octet: &u8| !(lowest..=b'~').contains(octet);
    first(bytes, found, is_other).unwrap_or(bytes.len())
}

/// The first octet that `found` says so of, `is_found` where there are no eight.
#[inline]
fn first(
    bytes: &[u8],
    found: impl Fn(Eight) -> u64,
    is_found: impl Fn(&u8) -> bool,
) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut front = 0_usize;
    for eight in eights {
        let found = found(Eight::new(*eight));
        if found != 0 {
            let octets = usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
            return Some(front.saturating_add(octets));
        }
        // An index into a slice cannot overflow; to check for it costs two instructions a step.
        front = front.wrapping_add(8);
    }
    let behind = rest.iter().position(is_found)?;
    Some(front.saturating_add(behind))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
    use super::*;

    /// Each octet at each place, between neighbours that a borrow or a carry would come from.
    #[test]
    fn eight_octets_at_once_say_what_one_by_one_says() {
        for around in [0x00, 0x01, 0x1F, 0x20, b'a', b'~', 0x7F, 0x80, 0xEF, 0xFF] {
            for octet in 0..=0xFF {
                for place in 0..19 {
                    let mut bytes = [around; 19];
                    bytes[place] = octet;
                    let front = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|at| is(*at));
                    assert_eq!(
                        find(&bytes, [b'a', 0x00]),
                        front(&|at| at == b'a' || at == 0),
                        "{bytes:?}"
                    );
                    assert_eq!(
                        find_control_or(&bytes, [0xEF]),
                        front(&|at| at < b' ' || at == 0xEF),
                        "{bytes:?}"
                    );
                    for lowest in [b' ', b'!'] {
                        assert_eq!(
                            printable(&bytes, lowest),
                            front(&|at| !(lowest..=b'~').contains(&at)).unwrap_or(bytes.len()),
                            "{bytes:?}"
                        );
                    }
                }
            }
        }
    }
}
