//! WeChat's limits for a slow backend, according to the manual (被动回复用户消息).

use std::time::Duration;

/// The time in which a backend must answer. It includes the time to connect.
pub(crate) const WECHAT_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of tries of a message, if the backend answers none of them in time.
pub(crate) const WECHAT_TRIES: usize = 3;

/// The text that WeChat shows to the user if it cannot use the answer.
pub(crate) const FAULT_PROMPT: &str = "该公众号提供的服务出现故障，请稍后再试";
