//! How WeChat treats a slow backend, by its manual (被动回复用户消息).

use std::time::Duration;

/// The time in which a backend must answer; connecting is part of it.
pub(crate) const WECHAT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often WeChat sends a message in all, if no try is answered in time.
pub(crate) const WECHAT_TRIES: usize = 3;

/// What WeChat shows to the user after an answer that it cannot use.
pub(crate) const FAULT_PROMPT: &str = "该公众号提供的服务出现故障，请稍后再试";
