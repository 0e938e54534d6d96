//! `IMF-fixdate`, the form of the Date field (RFC 9110 5.6.7), always in GMT.

use crate::text::calendar;

const WEEKDAYS: [[u8; 3]; 7] = [
    *b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed",
];

const MONTHS: [[u8; 3]; 12] = [
    *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct",
    *b"Nov", *b"Dec",
];

/// The time in seconds since 1970 as `Sat, 17 Jul 2021 08:52:35 GMT`. Years past 9999 do not fit
/// the form; their last second is written instead.
pub(super) fn imf_fixdate(now: u64) -> [u8; 29] {
    let now = now.min(253_402_300_799);
    let (days, second) = (now / 86_400, now % 86_400);
    let (year, month, day) = calendar::civil(days);
    let name = |names: &[[u8; 3]], index: u64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index))
            .copied()
            .unwrap_or_default()
    };
    let [w, e, k] = name(&WEEKDAYS, days % 7);
    let [m, o, n] = name(&MONTHS, month.saturating_sub(1));
    let [d0, d1] = two_digits(day);
    let ([y0, y1], [y2, y3]) = (two_digits(year / 100), two_digits(year % 100));
    let [h0, h1] = two_digits(second / 3600);
    let [i0, i1] = two_digits(second / 60 % 60);
    let [s0, s1] = two_digits(second % 60);
    [
        w, e, k, b',', b' ', d0, d1, b' ', m, o, n, b' ', y0, y1, y2, y3, b' ', h0, h1, b':', i0,
        i1, b':', s0, s1, b' ', b'G', b'M', b'T',
    ]
}

fn two_digits(number: u64) -> [u8; 2] {
    let digit = |value: u64| b'0'.saturating_add(u8::try_from(value % 10).unwrap_or(0));
    [digit(number / 10), digit(number)]
}

#[cfg(test)]
mod tests {
    use super::imf_fixdate;

    #[track_caller]
    fn assert_date(now: u64, date: &str) {
        assert_eq!(String::from_utf8_lossy(&imf_fixdate(now)), date);
    }

    #[test]
    fn dates_are_gmt_with_the_right_weekday() {
        assert_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_date(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"); // the example of RFC 9110
        assert_date(951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_date(1_626_511_955, "Sat, 17 Jul 2021 08:52:35 GMT"); // the capture, whose own Date is eight hours ahead
        assert_date(4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"); // 2100 has no 29 February
        assert_date(u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
