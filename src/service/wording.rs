//! The texts of `src/service`.

use super::domain_file::{DomainFileError, FILE_MAX};
use crate::text::language::Text;

const _: () = assert!(FILE_MAX == 1024, "the hint about the length has this number");

impl DomainFileError {
    /// The hint for the operator.
    pub(super) const fn hint(&self) -> Text {
        match self {
            Self::NoFolder => Text {
                en: "pass --rules FILE, and put the file that WeChat gave you beside that file",
                zh: "请指定 --rules FILE，并把微信提供的校验文件放在规则文件的目录中",
            },
            Self::Missing => Text {
                en: "put the file that WeChat gave you beside the rules file",
                zh: "请把微信提供的校验文件放在规则文件的目录中",
            },
            Self::Link => Text {
                en: "the file beside the rules file is a link out of its folder; copy the file there",
                zh: "规则文件目录中的校验文件是指向目录外的链接；请把文件复制到该目录",
            },
            Self::NoPermission => Text {
                en: "the user of the server must be able to read the file beside the rules file: chmod o+r",
                zh: "运行服务器的用户须能读取规则文件目录中的校验文件：chmod o+r",
            },
            Self::Unsuitable => Text {
                en: "the file beside the rules file must be a regular file of at most 1024 bytes",
                zh: "规则文件目录中的校验文件须为普通文件，最多 1024 字节",
            },
        }
    }
}

#[cfg(test)]
mod samples;
