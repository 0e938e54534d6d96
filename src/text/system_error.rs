//! Errors of the system in the language of this process. std has only the English texts.

use std::fmt::{self, Display, Formatter};
use std::io;

use super::language::{Language, language};

/// The Chinese texts of common errors by their number on Linux (errno(3)).
#[rustfmt::skip]
const CHINESE: [(i32, &str); 19] = [
    (1, "不允许的操作"), (2, "文件或目录不存在"), (5, "输入/输出错误"), (11, "资源暂时不可用"), (12, "内存不足"), (13, "权限不足"),
    (20, "不是目录"), (21, "是目录"), (24, "打开的文件过多"), (28, "设备上没有剩余空间"), (30, "文件系统只读"),
    (40, "符号链接层数过多"), (98, "地址已被占用"), (99, "本机没有这个地址"), (101, "网络不可达"),
    (104, "连接被对方重置"), (110, "连接超时"), (111, "连接被拒绝"), (113, "没有到主机的路由"),
];

/// Shows an error. An error that is not in the table is shown in English.
pub(crate) struct SystemError<'e>(pub(crate) &'e io::Error);

impl Display for SystemError<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let number = self.0.raw_os_error().filter(|_| language() == Language::Chinese);
        match CHINESE.iter().find(|(known, _)| Some(*known) == number) {
            Some((number, text)) => write!(f, "{text} (os error {number})"),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod samples;
