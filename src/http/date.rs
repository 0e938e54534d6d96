//! `IMF-fixdate`, the form of the Date field (RFC 9110 5.6.7), always in GMT.

const WEEKDAYS: [[u8; 3]; 7] = [
    *b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed",
];

const MONTHS: [[u8; 3]; 12] = [
    *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct",
    *b"Nov", *b"Dec",
];

/// The time in seconds since 1970 as `Sat, 17 Jul 2021 08:52:35 GMT`. Years past 9999 do not fit
/// the form; their last second is written instead.
pub fn imf_fixdate(now: u64) -> [u8; 29] {
    let now = now.min(253_402_300_799);
    let (days, second) = (now / 86_400, now % 86_400);
    let (year, month, day) = civil(days);
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

/// Year, month from 1 and day from 1 of a day counted from 1970-01-01, in the proleptic Gregorian
/// calendar. Counted in years that begin in March, so that the leap day is the last one of its
/// year, and in eras of 400 years, which all have 146,097 days.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "all operands are below 2^32: the caller bounds the days by year 9999"
)]
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_from_march + 2) / 5 + 1;
    let month = if months_from_march < 10 {
        months_from_march + 3
    } else {
        months_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
