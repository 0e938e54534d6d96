//! The status of a server, as `wechat status` shows it: a table for people, or JSON for machines.

use std::collections::BinaryHeap;
use std::fmt;
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use super::wording::{NONE_YET, UNITS, count_name, yes_or_no};
use crate::callback::Metrics;
use crate::program::Programs;
use crate::server::{self, Handle};
use crate::service::version;
use crate::session::Responder;
use crate::text::display::{columns, format_duration, pad};
use crate::text::language::Language;

/// The sources of the status values.
pub(crate) struct ServerStatus {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) responder: Arc<Responder<Programs>>,
    pub(crate) connections_max: usize,
}

/// A value of the status.
enum Value {
    Count(u64),
    /// Counts by name. The table omits a count of zero.
    Counts(Vec<(&'static str, u64)>),
    Bool(bool),
    /// The time since an event; `None` if the event has not happened yet.
    Seconds(Option<u64>),
    /// `None` if nothing has been measured yet.
    Microseconds(Option<u32>),
    Text(String),
}

impl ServerStatus {
    /// The values with their names. The JSON uses the names as keys. The table shows the names with spaces instead of
    /// underscores, or the Chinese names beside them.
    fn fields(&self) -> [(&'static str, &'static str, Value); 28] {
        let stats = self.handle.stats();
        let programs = self.responder.runner().counts();
        let since_message = self.metrics.last_message();
        let since_message = since_message.map(|last| server::now().saturating_sub(last));
        // A heap sort takes less space in the binary than std's other sorts.
        let times = BinaryHeap::from(stats.response_times).into_sorted_vec();
        let count = |count: usize| Value::Count(count as u64);
        [
            ("version", "版本", Value::Text(version())),
            ("process", "进程", Value::Count(process::id().into())),
            ("address", "地址", Value::Text(self.address.to_string())),
            ("uptime", "已运行", Value::Seconds(Some(stats.uptime.as_secs()))),
            ("stopping", "正在停止", Value::Bool(stats.is_stopping)),
            ("rules_current", "规则是最新的", Value::Bool(self.responder.has_current_rules())),
            ("since_message", "距上一条消息", Value::Seconds(since_message)),
            ("messages", "消息", Value::Counts(self.metrics.messages().collect())),
            ("modes", "消息加解密方式", Value::Counts(self.metrics.modes().collect())),
            ("unread", "无法解密", Value::Count(self.metrics.unread())),
            ("replies", "回复", Value::Count(self.metrics.replies())),
            ("without_reply", "无需回复", Value::Count(self.metrics.without_reply())),
            ("given_up", "微信已断开", Value::Count(self.metrics.disconnected())),
            ("answer_p50", "响应用时 p50", Value::Microseconds(percentile(&times, 50))),
            ("answer_p99", "响应用时 p99", Value::Microseconds(percentile(&times, 99))),
            ("tries_joined", "合并的重试", Value::Count(self.responder.joined_tries())),
            ("programs_running", "程序运行中", count(programs.running)),
            ("programs_failed", "程序失败", Value::Count(programs.failed)),
            ("programs_limited", "程序超限", Value::Count(programs.limited)),
            ("processes_left", "残留进程", count(programs.left)),
            ("token_checks", "令牌验证", Value::Count(self.metrics.token_checks())),
            ("refusals", "拒绝的请求", Value::Counts(stats.refusals)),
            ("connections", "连接", count(stats.connections)),
            ("being_answered", "正在响应", count(stats.working)),
            ("max_connections", "连接上限", count(self.connections_max)),
            ("evictions", "让位关闭的连接", Value::Count(stats.evictions)),
            ("panics", "panic 次数", Value::Count(stats.panics)),
            ("log_lines_lost", "丢失的日志行", Value::Count(server::lost_log_lines())),
        ]
    }

    /// The status as a table, with one row for each value.
    pub(crate) fn text(&self, language: Language) -> String {
        let none_yet = || NONE_YET.of(language).to_owned();
        let mut rows = Vec::new();
        for (key, chinese, value) in self.fields() {
            let text = match &value {
                Value::Count(count) => count.to_string(),
                Value::Counts(counts) => {
                    counts.iter().map(|(_, count)| count).sum::<u64>().to_string()
                }
                Value::Bool(value) => yes_or_no(*value).of(language).to_owned(),
                Value::Seconds(time) => time.map_or_else(none_yet, |age| format_age(age, language)),
                Value::Microseconds(time) => {
                    let time = time.map(|time| Duration::from_micros(u64::from(time)));
                    time.map_or_else(none_yet, format_duration)
                }
                Value::Text(text) => text.clone(),
            };
            let name = match language {
                Language::English => key.replace('_', " "),
                Language::Chinese => chinese.to_owned(),
            };
            rows.push((name, text));
            if let Value::Counts(counts) = value {
                for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                    let name = count_name(name, language);
                    rows.push((format!("  {name}"), count.to_string()));
                }
            }
        }
        let width = rows.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
        let lines = rows.iter().map(|(name, text)| format!("{}  {text}\n", pad(name, width)));
        lines.collect()
    }

    /// The status as JSON, one object in one line. The key of a time ends with its unit.
    pub(crate) fn json(&self) -> String {
        let fields = self.fields().map(|(name, _, value)| match value {
            Value::Count(count) => (name.to_owned(), count.to_string()),
            Value::Counts(counts) => {
                let counts = counts.iter().map(|(name, count)| (*name, count));
                (name.to_owned(), object(counts))
            }
            Value::Bool(value) => (name.to_owned(), value.to_string()),
            Value::Seconds(time) => (format!("{name}_seconds"), or_null(time)),
            Value::Microseconds(time) => {
                (format!("{name}_microseconds"), or_null(time.map(u64::from)))
            }
            Value::Text(text) => (name.to_owned(), format!("\"{text}\"")),
        });
        object(fields.into_iter()) + "\n"
    }
}

/// The percentile of sorted numbers, by nearest rank; `None` if there are no numbers.
fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// Writes a JSON object. The names must need no escaping, and the values must be JSON.
fn object(fields: impl Iterator<Item = (impl fmt::Display, impl fmt::Display)>) -> String {
    let fields: Vec<_> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// Formats a number of seconds in its two largest units.
fn format_age(mut seconds: u64, language: Language) -> String {
    let mut parts = Vec::new();
    for (length, unit) in UNITS {
        let count = seconds / length;
        seconds %= length;
        if count > 0 || !parts.is_empty() || length == 1 {
            parts.push(format!("{count} {}", unit.of(language)));
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::{Language, format_age, object};

    #[test]
    fn formats_an_age_in_two_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3_599, "59 min 59 s"),
            (7_260, "2 h 1 min"),
            (86_400 * 40 + 5, "40 d 0 h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(format_age(seconds, Language::English), text);
        }
        assert_eq!(format_age(7_260, Language::Chinese), "2 小时 1 分");
    }

    #[test]
    fn writes_an_object_as_json() {
        assert_eq!(object([("", 0); 0].iter().copied()), "{}");
        let fields = [("a", 1), ("b-c", 2)];
        assert_eq!(object(fields.iter().copied()), r#"{"a":1,"b-c":2}"#);
    }
}
