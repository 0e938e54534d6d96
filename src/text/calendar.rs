//! The proleptic Gregorian calendar.

/// Converts days since 1970-01-01 to the year, the month (from 1) and the day (from 1).
///
/// The calculation uses years that begin in March, so that a leap day is the last day of its year. It also uses eras of
/// 400 years, because each era has 146,097 days.
pub(crate) const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_from_march + 2) / 5 + 1;
    let (month, years_from_era) = if months_from_march < 10 {
        (months_from_march + 3, year_of_era)
    } else {
        (months_from_march - 9, year_of_era + 1)
    };
    (400 * era + years_from_era, month, day)
}
