//! The attributes `time` and `weekday` of `<on>`: when a rule applies.
//!
//! ```text
//! time    = time-range *( "|" time-range )
//! weekday = days *( "|" days )
//! days    = day [ "-" day ]
//! ```
//! A time range is `HH:MM-HH:MM`, without its end. A day is a digit from 1 (Monday) to 7 (Sunday). A range may pass midnight
//! or Sunday.

use super::problem::Problem;
use crate::text::blank::trim_blanks;
use crate::text::digits::parse_decimal;

/// Minutes of a day.
const DAY: u64 = 24 * 60;

/// The times at which a rule applies.
#[derive(Debug)]
pub(super) struct Schedule {
    times: Vec<TimeRange>,
    /// For each weekday from Monday on, whether the rule applies to times that begin on it.
    weekdays: [bool; 7],
    /// The attributes as written in the file: name and value.
    pub(super) sources: Vec<(&'static str, String)>,
}

/// A range of minutes of a day, without its end. It passes midnight if its end is less than its start.
#[derive(Clone, Copy, Debug)]
struct TimeRange {
    start: u64,
    end: u64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            times: vec![TimeRange { start: 0, end: DAY }],
            weekdays: [true; 7],
            sources: Vec::new(),
        }
    }
}

impl Schedule {
    /// # Errors
    /// [`Problem::Time`] or [`Problem::EmptyTimeRange`]
    pub(super) fn set_time(&mut self, value: &str) -> Result<(), Problem> {
        self.times = value.split('|').map(parse_time_range).collect::<Result<_, _>>()?;
        self.sources.push(("time", value.to_owned()));
        Ok(())
    }

    /// # Errors
    /// [`Problem::Weekday`]
    pub(super) fn set_weekday(&mut self, value: &str) -> Result<(), Problem> {
        self.weekdays = [false; 7];
        for days in value.split('|') {
            let problem = || Problem::Weekday { value: value.to_owned() };
            let (first, last) = parse_days(trim_blanks(days)).ok_or_else(problem)?;
            let mut day = first;
            self.weekdays[day] = true;
            while day != last {
                day = (day + 1) % 7;
                self.weekdays[day] = true;
            }
        }
        self.sources.push(("weekday", value.to_owned()));
        Ok(())
    }

    /// Whether the rule applies at this time, in local seconds since 1970. A time range that passes midnight belongs to
    /// the day on which it begins.
    pub(super) fn applies_at(&self, seconds: u64) -> bool {
        let minute = seconds / 60 % DAY;
        // 1970-01-01 was a Thursday.
        let weekday = |days_ago: u64| {
            let day = (seconds / 86_400 + 3 + 7 - days_ago) % 7;
            self.weekdays[usize::try_from(day).expect("less than 7")]
        };
        self.times.iter().any(|TimeRange { start, end }| {
            if start < end {
                return weekday(0) && (start..end).contains(&&minute);
            }
            (weekday(0) && minute >= *start) || (weekday(1) && minute < *end)
        })
    }
}

/// Parses `HH:MM-HH:MM`. The end may be 24:00.
fn parse_time_range(text: &str) -> Result<TimeRange, Problem> {
    let text = trim_blanks(text);
    let range = text.split_once('-').and_then(|(start, end)| {
        let start = parse_minute(trim_blanks(start)).filter(|start| *start < DAY)?;
        Some(TimeRange { start, end: parse_minute(trim_blanks(end))? })
    });
    match range {
        None => Err(Problem::Time { value: text.to_owned() }),
        Some(TimeRange { start, end }) if start == end => {
            Err(Problem::EmptyTimeRange { value: text.to_owned() })
        }
        Some(range) => Ok(range),
    }
}

/// Parses `2DIGIT ":" 2DIGIT`, up to 24:00.
fn parse_minute(text: &str) -> Option<u64> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| parse_decimal(text).ok().filter(|_| text.len() == 2);
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let time = hour * 60 + minute;
    (minute < 60 && time <= DAY).then_some(time)
}

/// Parses `day [ "-" day ]`, and returns both days, counted from 0. Two equal days are not allowed, because they could
/// mean one day or all.
fn parse_days(text: &str) -> Option<(usize, usize)> {
    let day = |text: &str| match trim_blanks(text).as_bytes() {
        [digit @ b'1'..=b'7'] => Some(usize::from(digit - b'1')),
        _ => None,
    };
    match text.split_once('-') {
        None => day(text).map(|day| (day, day)),
        Some((first, last)) => {
            Some((day(first)?, day(last)?)).filter(|(first, last)| first != last)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// Seconds since 1970 of an hour and a minute of a weekday, counted from 1 (Monday).
    fn at(weekday: u64, time: &str) -> u64 {
        // 2021-07-12 was a Monday.
        1_626_048_000 + (weekday - 1) * 86_400 + parse_minute(time).unwrap() * 60
    }

    fn schedule(time: Option<&str>, weekday: Option<&str>) -> Schedule {
        let mut schedule = Schedule::default();
        time.map_or(Ok(()), |time| schedule.set_time(time)).unwrap();
        weekday.map_or(Ok(()), |weekday| schedule.set_weekday(weekday)).unwrap();
        schedule
    }

    #[test]
    fn a_time_range_includes_its_start_and_not_its_end() {
        let open = schedule(Some("09:00-12:00| 13:30 - 18:00 |22:00-24:00"), None);
        for (time, applies) in [
            ("08:59", false),
            ("09:00", true),
            ("11:59", true),
            ("12:00", false),
            ("13:29", false),
            ("13:30", true),
            ("18:00", false),
            ("21:59", false),
            ("22:00", true),
            ("23:59", true),
            ("00:00", false),
        ] {
            assert_eq!(open.applies_at(at(3, time)), applies, "{time}");
            assert_eq!(open.applies_at(at(3, time) + 59), applies, "{time}:59");
        }
        let always = schedule(Some("00:00-24:00"), None);
        assert!((0..DAY * 8).all(|minute| always.applies_at(at(1, "00:00") + minute * 60)));
    }

    #[test]
    fn a_range_that_passes_midnight_belongs_to_its_first_day() {
        let night = schedule(Some("22:00-02:00"), Some("5"));
        for (weekday, time, applies) in [
            (5, "01:00", false),
            (5, "21:59", false),
            (5, "22:00", true),
            (6, "00:00", true),
            (6, "01:59", true),
            (6, "02:00", false),
            (6, "22:00", false),
            (7, "01:00", false),
        ] {
            assert_eq!(night.applies_at(at(weekday, time)), applies, "{weekday} {time}");
        }
        let sunday = schedule(Some("23:00-00:00|23:30-01:00"), Some("7"));
        assert!(sunday.applies_at(at(7, "23:15")) && sunday.applies_at(at(8, "00:59")));
        assert!(!sunday.applies_at(at(1, "23:45")) && !sunday.applies_at(at(7, "00:30")));
    }

    #[test]
    fn weekdays_are_counted_from_monday_and_wrap() {
        for (weekday, expected) in [
            ("1-5", [true, true, true, true, true, false, false]),
            ("6-2", [true, true, false, false, false, true, true]),
            ("7-1", [true, false, false, false, false, false, true]),
            ("2 | 4-5|7", [false, true, false, true, true, false, true]),
            ("1-7", [true; 7]),
            ("5-4", [true; 7]),
        ] {
            let schedule = schedule(None, Some(weekday));
            let days = [1, 2, 3, 4, 5, 6, 7];
            assert_eq!(days.map(|day| schedule.applies_at(at(day, "00:00"))), expected);
            assert_eq!(days.map(|day| schedule.applies_at(at(day, "23:59"))), expected);
        }
        // 1970-01-01 was a Thursday.
        assert!(schedule(None, Some("4")).applies_at(0));
        assert!(schedule(Some("23:00-01:00"), Some("3")).applies_at(0));
    }

    #[test]
    fn refuses_other_times_and_days() {
        for time in [
            "",
            "9",
            "9:00-18:00",
            "09:00",
            "09:00-",
            "-18:00",
            "09:00-18:60",
            "09:00-24:01",
            "24:00-01:00",
            "09:00-18:00|",
            "09:00–18:00",
            "09：00-18：00",
            "09:00-12:00-18:00",
            "+9:00-18:00",
            "09:00~18:00",
            "09:00-18:00,19:00-20:00",
            "9am-5pm",
            "0900-1800",
            "09:00:00-18:00:00",
            "*",
        ] {
            let error = Schedule::default().set_time(time);
            assert!(matches!(error, Err(Problem::Time { .. })), "{time}");
        }
        for time in ["09:00-09:00", "00:00-00:00", "08:00-09:00|10:00-10:00"] {
            let error = Schedule::default().set_time(time);
            assert!(matches!(error, Err(Problem::EmptyTimeRange { .. })), "{time}");
        }
        for weekday in [
            "", "0", "8", "1-8", "0-6", "1,2", "1-", "-5", "1-3-5", "Mon", "一", "1|", "3-3", "12",
            "1*",
        ] {
            let error = Schedule::default().set_weekday(weekday);
            assert!(matches!(error, Err(Problem::Weekday { .. })), "{weekday}");
        }
    }
}
