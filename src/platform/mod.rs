//! WeChat's side of the callback: the requests that it sends, and what it makes of the answers, as far
//! as its manual and public reports say (接入指南, 接收普通消息, 被动回复用户消息).
//!
//! This is what the person's tools play. It prints nothing and reads no arguments.

mod capture;
mod draft;
mod sealed;
mod shown;
mod stamp;
mod token_check;
mod trouble;
mod verdict;

use std::time::Duration;

pub use capture::CaptureError;
pub(crate) use capture::{Capture, Difference, captured_status};
pub use draft::DraftError;
pub(crate) use draft::{Draft, field_name};
pub(crate) use sealed::Seal;
pub(crate) use shown::{quoted, seconds, shown};
pub(crate) use stamp::{Stamp, random};
pub(crate) use token_check::TokenCheck;
pub(crate) use trouble::{of_answer, of_content, of_trouble};
pub(crate) use verdict::Verdict;

/// How long WeChat waits for an answer, the connection included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How often it sends a message that is not answered in time.
pub(crate) const TRIES: usize = 3;

/// What a user sees where there is no usable answer.
pub(crate) const FAULT_PROMPT: &str = "该公众号提供的服务出现故障，请稍后再试";

/// One thing that was found out about a backend.
pub(crate) struct Finding {
    pub(crate) grade: Grade,
    /// A sentence without a stop; what to do about it behind a semicolon.
    pub(crate) text: String,
}

/// What a finding means for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// It works, by some reports not everywhere; or it works, and should not.
    Doubt,
    /// WeChat would not take it.
    Fault,
}

impl Finding {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self {
            grade: Grade::Good,
            text: text.into(),
        }
    }

    pub(crate) fn doubt(text: impl Into<String>) -> Self {
        Self {
            grade: Grade::Doubt,
            text: text.into(),
        }
    }

    pub(crate) fn fault(text: impl Into<String>) -> Self {
        Self {
            grade: Grade::Fault,
            text: text.into(),
        }
    }
}
