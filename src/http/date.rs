//! `IMF-fixdate`, the format of the Date field (RFC 9110 5.6.7).

use crate::text::calendar;

/// The index is the number of days since 1970-01-01 (a Thursday), modulo 7.
const WEEKDAYS: [[u8; 3]; 7] = [*b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed"];

/// The index is the number of the month (1 to 12), modulo 12, so December comes first.
const MONTHS: [[u8; 3]; 12] = [
    *b"Dec", *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep",
    *b"Oct", *b"Nov",
];

/// Formats seconds since 1970 as `Sat, 17 Jul 2021 08:52:35 GMT`. The format has no years after 9999, so later times
/// are replaced with the last second of 9999.
pub(super) fn imf_fixdate(now: u64) -> [u8; 29] {
    let now = now.min(253_402_300_799);
    let (days, second) = (now / 86_400, now % 86_400);
    let (year, month, day) = calendar::civil(days);
    let [w, e, k] = WEEKDAYS[(days % 7) as usize];
    let [m, o, n] = MONTHS[(month % 12) as usize];
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

const fn two_digits(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::imf_fixdate;

    #[track_caller]
    fn assert_date(now: u64, date: &str) {
        assert_eq!(String::from_utf8_lossy(&imf_fixdate(now)), date);
    }

    #[test]
    fn formats_dates_in_gmt_with_their_weekday() {
        assert_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_date(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"); // the example of RFC 9110
        assert_date(951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_date(1_626_511_955, "Sat, 17 Jul 2021 08:52:35 GMT"); // from the capture, whose own Date is eight hours ahead
        assert_date(4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"); // 2100 has no 29 February
        assert_date(u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
