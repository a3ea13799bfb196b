//! The versions of Dify that the mock imitates.

/// A version of Dify whose bytes are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DifyVersion {
    /// 1.12.1 as recorded.
    V1_12,
    /// 1.14.2 as recorded.
    #[default]
    V1_14,
}

impl DifyVersion {
    /// The value of `X-Version`.
    pub fn header(self) -> &'static str {
        match self {
            Self::V1_12 => "1.12.1",
            Self::V1_14 => "1.14.2",
        }
    }
}
