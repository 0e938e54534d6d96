//! Simulates WeChat to test a backend. The simulator builds the requests of WeChat, and judges the answers as WeChat would,
//! according to the manual and to public reports (接入指南, 接收普通消息, 被动回复用户消息, 消息加解密说明).
//!
//! The commands `send`, `verify` and `replay` use this module. It prints nothing and reads no arguments.

mod capture;
mod check;
mod content;
mod difference;
mod encryption;
mod fault;
mod reply;
mod search;
mod signed_query;
mod test_message;
mod timing;
mod token_check;
mod verdict;
mod wording;

pub(crate) use capture::{Capture, CaptureError};
pub(crate) use check::{Check, Severity};
pub(crate) use difference::{Difference, compare_with_capture};
pub(crate) use encryption::Encryption;
pub(crate) use fault::{Fault, check_answer};
pub(crate) use signed_query::{SignedQuery, random_number};
pub(crate) use test_message::{TestMessage, TestMessageError, parse_field};
pub(crate) use timing::{FAULT_PROMPT, WECHAT_TIMEOUT, WECHAT_TRIES};
pub(crate) use token_check::TokenCheck;
pub(crate) use verdict::Verdict;
