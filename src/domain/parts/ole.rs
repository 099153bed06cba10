//! OLE2 compound files (MS-CFB) as far as needed to know what they are and to take apart an Outlook message. Lenient: WPS cuts the
//! last sector short, and damaged files must still be told apart. Every chain is bounded by the file's own size.

use std::collections::BTreeSet;

pub const MAGIC: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
const DIR_ENTRY_BYTES: usize = 128;
const MINI_SECTOR_BYTES: usize = 64;
const ENTRIES_MAX: usize = 20_000;

/// One stream or storage.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub is_storage: bool,
    left: usize,
    right: usize,
    child: usize,
    start: usize,
    size: usize,
}

/// An opened compound file.
#[derive(Debug)]
pub struct Ole<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    mini_cutoff: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    entries: Vec<Entry>,
}

impl<'a> Ole<'a> {
    /// `None` where there is no directory to be found.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(&MAGIC) {
            return None;
        }
        let shift = u16_at(bytes, 0x1E)?;
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut ole = Self {
            bytes,
            sector_bytes: 1 << shift,
            mini_cutoff: u32_at(bytes, 0x38)? as usize,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            entries: Vec::new(),
        };
        ole.read_fat();
        ole.entries = ole
            .chain(u32_at(bytes, 0x30)? as usize, ENTRIES_MAX * DIR_ENTRY_BYTES)
            .chunks_exact(DIR_ENTRY_BYTES)
            .filter_map(entry)
            .collect();
        let mini_fat = ole.chain(u32_at(bytes, 0x3C)? as usize, bytes.len());
        ole.mini_fat = words(&mini_fat).collect();
        (!ole.entries.is_empty()).then_some(ole)
    }

    /// The sector allocation table: 109 of its sectors are named in the header, the others in a chain.
    fn read_fat(&mut self) {
        let sectors_max = self.bytes.len() / self.sector_bytes + 1;
        let mut tables: Vec<usize> = words(self.bytes.get(0x4C..0x200).unwrap_or_default()).map(|word| word as usize).collect();
        let mut next = u32_at(self.bytes, 0x44).unwrap_or(u32::MAX) as usize;
        while next < sectors_max && tables.len() < sectors_max {
            let mut list: Vec<usize> = words(self.sector(next)).map(|word| word as usize).collect();
            next = list.pop().unwrap_or(usize::MAX);
            tables.extend(list);
        }
        let mut seen = BTreeSet::new();
        for table in tables.into_iter().filter(|table| *table < sectors_max) {
            if seen.insert(table) {
                let sector = self.sector(table);
                let mut entries: Vec<u32> = words(sector).collect();
                entries.resize(self.sector_bytes / 4, u32::MAX);
                self.fat.extend(entries);
            }
        }
    }

    /// One sector; short where the file ends in it.
    fn sector(&self, number: usize) -> &'a [u8] {
        let start = number.saturating_add(1).saturating_mul(self.sector_bytes);
        let end = start.saturating_add(self.sector_bytes).min(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The bytes of a chain of sectors, at most `max_bytes`.
    fn chain(&self, start: usize, max_bytes: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut next = start;
        for _ in 0..=self.fat.len() {
            let sector = self.sector(next);
            out.extend_from_slice(sector);
            if sector.is_empty() || out.len() >= max_bytes {
                break;
            }
            match self.fat.get(next) {
                Some(following) => next = *following as usize,
                None => break,
            }
        }
        out.truncate(max_bytes);
        out
    }

    /// Entries standing in a storage; 0 is the root.
    pub fn children(&self, storage: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![self.entries.get(storage).map_or(usize::MAX, |entry| entry.child)];
        while let Some(index) = open.pop() {
            let Some(entry) = self.entries.get(index) else { continue };
            if seen.insert(index) {
                found.push(index);
                open.extend([entry.left, entry.right]);
            }
        }
        found.sort_unstable();
        found
    }

    pub fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// A child by its name, without regard to case.
    pub fn find(&self, storage: usize, name: &str) -> Option<usize> {
        self.children(storage).into_iter().find(|index| self.entry(*index).is_some_and(|entry| entry.name.eq_ignore_ascii_case(name)))
    }

    /// All names of the directory, whatever storage they stand in: damaged files often keep these.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The index of a stream anywhere in the file.
    pub fn find_anywhere(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| !entry.is_storage && entry.name.eq_ignore_ascii_case(name))
    }

    /// A stream's bytes, at most `max_bytes`.
    pub fn stream(&self, index: usize, max_bytes: usize) -> Vec<u8> {
        let Some(entry) = self.entries.get(index) else { return Vec::new() };
        let size = entry.size.min(max_bytes);
        if entry.size >= self.mini_cutoff {
            return self.chain(entry.start, size);
        }
        let Some(root) = self.entries.first() else { return Vec::new() };
        let mut out = Vec::with_capacity(size.min(self.mini_cutoff));
        let container = self.chain(root.start, root.size.min(self.bytes.len()));
        let mut next = entry.start;
        for _ in 0..=self.mini_fat.len() {
            let start = next.saturating_mul(MINI_SECTOR_BYTES);
            let end = start.saturating_add(MINI_SECTOR_BYTES).min(container.len());
            let piece = container.get(start..end).unwrap_or_default();
            out.extend_from_slice(piece);
            if piece.is_empty() || out.len() >= size {
                break;
            }
            match self.mini_fat.get(next) {
                Some(following) => next = *following as usize,
                None => break,
            }
        }
        out.truncate(size);
        out
    }
}

fn entry(raw: &[u8]) -> Option<Entry> {
    let kind = *raw.get(0x42)?;
    let name_bytes = usize::from(u16_at(raw, 0x40)?).min(64);
    let units: Vec<u16> =
        raw.get(..name_bytes.saturating_sub(2))?.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let at = |offset: usize| u32_at(raw, offset).map_or(usize::MAX, |word| word as usize);
    Some(Entry {
        name: String::from_utf16_lossy(&units),
        is_storage: matches!(kind, 1 | 5),
        left: at(0x44),
        right: at(0x48),
        child: at(0x4C),
        start: at(0x74),
        size: at(0x78),
    })
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).and_then(|slice| slice.try_into().ok()).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).and_then(|slice| slice.try_into().ok()).map(u32::from_le_bytes)
}
