//! The records of a workbook's stream, one after the other (MS-XLS 2.1.4).

use super::{typ, u16_at};

/// Continuations of one record; each holds up to 8 224 bytes.
pub const CONTINUES_MAX: usize = 20_000;

/// One record with its continuations.
pub struct Record<'s> {
    pub typ: u16,
    pub data: &'s [u8],
    pub continues: Vec<&'s [u8]>,
    /// There were more continuations.
    pub cut: bool,
}

/// Records from `at` on; ends where the stream breaks off.
pub struct Records<'s> {
    pub stream: &'s [u8],
    pub at: usize,
}

impl<'s> Records<'s> {
    /// Type, data and end of the record at hand, its continuations left aside.
    pub fn raw(&self) -> Option<(u16, &'s [u8], usize)> {
        let head = self.stream.get(self.at..self.at.checked_add(4)?)?;
        let (typ, length) = (u16_at(head, 0)?, usize::from(u16_at(head, 2)?));
        let end = self.at + 4 + length;
        Some((typ, self.stream.get(self.at + 4..end)?, end))
    }
}

impl<'s> Iterator for Records<'s> {
    type Item = Record<'s>;

    fn next(&mut self) -> Option<Record<'s>> {
        let (typ, data, end) = self.raw()?;
        self.at = end;
        let (mut continues, mut cut) = (Vec::new(), false);
        while let Some((typ::CONTINUE, data, end)) = self.raw() {
            if continues.len() < CONTINUES_MAX {
                continues.push(data);
            } else {
                cut = true;
            }
            self.at = end;
        }
        Some(Record { typ, data, continues, cut })
    }
}
