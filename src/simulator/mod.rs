//! WeChat's side of the callback: the requests that it sends, and what it makes of the answers, as far
//! as its manual and public reports say (接入指南, 接收普通消息, 被动回复用户消息).
//!
//! This is what the person's tools play. It prints nothing and reads no arguments.

mod capture;
mod encryption;
mod faults;
mod signed_query;
mod test_message;
mod token_check;
mod verdict;

use std::time::Duration;

pub use capture::CaptureError;
pub(crate) use capture::{Capture, Difference};
pub(crate) use encryption::Encryption;
pub(crate) use faults::{of_answer, of_content, of_trouble};
pub(crate) use signed_query::{SignedQuery, random};
pub use test_message::TestMessageError;
pub(crate) use test_message::{TestMessage, field_name};
pub(crate) use token_check::TokenCheck;
pub(crate) use verdict::Verdict;

/// How long WeChat waits for an answer, the connection included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How often it sends a message that is not answered in time.
pub(crate) const TRIES: usize = 3;

/// What a user sees where there is no usable answer.
pub(crate) const FAULT_PROMPT: &str = "该公众号提供的服务出现故障，请稍后再试";

/// One thing that was found out about a backend.
pub(crate) struct Check {
    pub(crate) severity: Severity,
    /// A sentence without a stop; what to do about it behind a semicolon.
    pub(crate) text: String,
}

/// What a check means for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// It works, by some reports not everywhere; or it works, and should not.
    Warning,
    /// WeChat would not take it.
    Error,
}

impl Check {
    pub(crate) fn ok(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Ok,
            text: text.into(),
        }
    }

    pub(crate) fn warning(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text: text.into(),
        }
    }

    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            text: text.into(),
        }
    }
}
