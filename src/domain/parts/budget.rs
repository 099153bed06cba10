//! What unpacking may still cost. Real output is counted, never a size that an archive claims: bombs that lie, overlap or nest
//! all stop at the same figures (`Limits`).

use std::{
    cell::Cell,
    io::{self, Read},
};

use super::FileStatus;
use crate::domain::limits::Limits;

/// Below this, no ratio is judged: small files of one repeated letter are harmless.
const RATIO_FLOOR_BYTES: usize = 1 << 20;
const CHUNK_BYTES: usize = 64 << 10;

/// Why a file or an archive was not read to its end; each says in Chinese what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    Encrypted,
    Damaged,
    /// A kind or method that is not read, and the remedy.
    Unsupported(String),
    /// One entry is too large; the others are still read.
    TooLarge(String),
    /// A limit was passed: nothing more of this archive is read.
    Refused(String),
}

impl Trouble {
    /// Status and sentence for the sender; `what` is 文件, 压缩包 or 邮件.
    pub fn say(self, what: &str) -> (FileStatus, String) {
        match self {
            Self::Encrypted => (FileStatus::Encrypted, format!("{what}设有密码，无法打开。请取消密码后重新发送。")),
            Self::Damaged => (FileStatus::Damaged, format!("{what}已损坏或不完整，无法打开。请在本机确认能正常打开后重新发送。")),
            Self::Unsupported(remedy) => (FileStatus::Unsupported, remedy),
            Self::TooLarge(limit) => (FileStatus::TooLarge, format!("{limit}，文件未读取。请精简后重新发送。")),
            Self::Refused(limit) => (FileStatus::Refused, format!("{limit}，其余内容未读取。请精简或分几封邮件后重新发送。")),
        }
    }
}

/// What all archives of one mail may still unpack, together.
pub struct Budget<'l> {
    pub limits: &'l Limits,
    output_bytes: Cell<usize>,
}

impl<'l> Budget<'l> {
    pub fn new(limits: &'l Limits) -> Self {
        Self { limits, output_bytes: Cell::new(0) }
    }

    /// The meter of one archive of `packed_bytes`.
    pub fn meter(&self, packed_bytes: usize) -> Meter<'_> {
        Meter { budget: self, packed_bytes, output_bytes: Cell::new(0), entries: Cell::new(0) }
    }
}

/// Counts the entries and the output of one archive.
pub struct Meter<'b> {
    budget: &'b Budget<'b>,
    packed_bytes: usize,
    output_bytes: Cell<usize>,
    entries: Cell<usize>,
}

impl Meter<'_> {
    pub fn limits(&self) -> &Limits {
        self.budget.limits
    }

    /// One more entry.
    ///
    /// # Errors
    /// [`Trouble::Refused`] beyond the limit.
    pub fn count_entry(&self) -> Result<(), Trouble> {
        let max = self.limits().container_entries_max;
        if self.entries.get() >= max {
            return Err(Trouble::Refused(format!("压缩包内的文件超过{max}个的上限")));
        }
        self.entries.set(self.entries.get() + 1);
        Ok(())
    }

    /// Charges unpacked bytes.
    ///
    /// # Errors
    /// [`Trouble::Refused`] beyond the output or ratio limit.
    pub fn charge(&self, bytes: usize) -> Result<(), Trouble> {
        let limits = self.limits();
        let total = self.budget.output_bytes.get().saturating_add(bytes);
        self.budget.output_bytes.set(total);
        if total > limits.container_output_max_bytes {
            let max = limits.container_output_max_bytes >> 20;
            return Err(Trouble::Refused(format!("邮件中的压缩包解压后合计超过{max}MB的上限")));
        }
        let own = self.output_bytes.get().saturating_add(bytes);
        self.output_bytes.set(own);
        if own > RATIO_FLOOR_BYTES && own > self.packed_bytes.saturating_mul(limits.container_ratio_max) {
            return Err(Trouble::Refused(format!("压缩包解压后超过原大小{}倍的上限，疑似异常压缩包", limits.container_ratio_max)));
        }
        Ok(())
    }

    /// Bytes one entry may have at most.
    pub fn entry_max_bytes(&self) -> usize {
        self.limits().container_file_max_bytes
    }

    pub fn too_large(&self) -> Trouble {
        Trouble::TooLarge(format!("单个文件解压后超过{}MB的上限", self.entry_max_bytes() >> 20))
    }

    /// Reads one entry to its end. With `drain`, an entry that is too large is unpacked to its end all the same (solid archives need
    /// that to reach the next one), counted and thrown away.
    ///
    /// # Errors
    /// The limit that was passed, or [`Trouble::Damaged`] where the bytes cannot be unpacked.
    pub fn read(&self, reader: &mut dyn Read, drain: bool) -> Result<Vec<u8>, Trouble> {
        let mut out = Vec::new();
        let mut too_large = false;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(Trouble::Damaged),
            };
            self.charge(count)?;
            if out.len() + count > self.entry_max_bytes() {
                too_large = true;
                out = Vec::new();
                if !drain {
                    break;
                }
            }
            if !too_large {
                out.extend_from_slice(chunk.get(..count).unwrap_or_default());
            }
        }
        if too_large { Err(self.too_large()) } else { Ok(out) }
    }
}
