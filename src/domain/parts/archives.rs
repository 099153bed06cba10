//! 7z, RAR, tar and gzip archives. Libraries unpack; every byte that comes out is counted by the [`Meter`].

use std::{
    cell::RefCell,
    io::{Cursor, Read, Write},
    rc::Rc,
};

use rars::{ArchiveMember, ArchiveReadOptions, ErrorKind, ExtractionDecision, ExtractionErrorAction};
use sevenz_rust2::{ArchiveReader, EntryDecision, Error as SevenZError, Password};

use super::{
    budget::{Meter, Trouble},
    kinds::split_archive,
    names,
};

/// One file of an archive: its way inside it, and its bytes or why there are none.
pub struct Entry {
    pub name: String,
    pub content: Result<Vec<u8>, Trouble>,
}

/// Takes the files of an archive as they come out, so that they need not all be held at once.
pub type Sink<'s> = &'s mut dyn FnMut(Entry);

pub fn nothing_inside() -> Trouble {
    Trouble::Unsupported("压缩包里没有文件。请检查后重新打包发送。".to_owned())
}

/// Hands over every file of a 7z archive.
///
/// # Errors
/// What keeps the rest of the archive from being read.
pub fn open_seven_z(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let memory_kb = meter.limits().dictionary_max_bytes >> 10;
    let mut reader = ArchiveReader::new_with_memory_limit(Cursor::new(bytes), Password::empty(), memory_kb).map_err(seven_z_trouble)?;
    reader.set_thread_count(1);
    let mut files = 0_usize;
    let mut stopped = None;
    let walked = reader.for_each_entries_with_decision(|entry, data| {
        let name = names::tidy(&entry.name);
        if entry.is_directory || entry.is_anti_item || names::is_junk(&name) {
            return Ok(match meter.read(data, true) {
                Err(Trouble::Refused(limit)) => {
                    stopped = Some(Trouble::Refused(limit));
                    EntryDecision::Stop
                }
                _ => EntryDecision::Continue,
            });
        }
        let content = meter.count_entry().and_then(|()| meter.read(data, true));
        if let Err(Trouble::Refused(limit)) = content {
            stopped = Some(Trouble::Refused(limit));
            return Ok(EntryDecision::Stop);
        }
        files += 1;
        let damaged = content == Err(Trouble::Damaged);
        sink(Entry { name, content });
        // What follows in this block cannot be reached any more.
        Ok(if damaged { EntryDecision::SkipBlock } else { EntryDecision::Continue })
    });
    match (stopped, walked) {
        (Some(trouble), _) => Err(trouble),
        (None, Err(error)) => Err(seven_z_trouble(error)),
        (None, Ok(())) if files == 0 => Err(nothing_inside()),
        (None, Ok(())) => Ok(()),
    }
}

fn seven_z_trouble(error: SevenZError) -> Trouble {
    match error {
        SevenZError::PasswordRequired | SevenZError::MaybeBadPassword(_) => Trouble::Encrypted,
        SevenZError::MaxMemLimited { max_kb, .. } => Trouble::Refused(format!("压缩包的字典超过{}MB的内存上限", max_kb >> 10)),
        SevenZError::UnsupportedCompressionMethod(_) | SevenZError::Unsupported(_) | SevenZError::UnsupportedVersion { .. } => {
            Trouble::Unsupported("压缩包采用了不支持的压缩方法。请改用zip格式打包后重新发送。".to_owned())
        }
        _ => Trouble::Damaged,
    }
}

/// Hands over every file of a RAR archive (1.5 to 7).
///
/// # Errors
/// What keeps the rest of the archive from being read.
pub fn open_rar(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let limits = meter.limits();
    let options = ArchiveReadOptions::new()
        .with_max_header_count(limits.container_entries_max as u64 * 4 + 100)
        .with_max_header_bytes(16 << 20)
        .with_rar50_dictionary_size_limit(limits.dictionary_max_bytes as u64)
        .with_rar50_buffered_decode_limit(limits.container_file_max_bytes as u64)
        .with_max_reader_workspace_bytes(limits.dictionary_max_bytes as u64 * 2)
        .with_max_member_output_bytes(limits.container_output_max_bytes as u64)
        .with_max_total_output_bytes(limits.container_output_max_bytes as u64);
    let archive = rars::ArchiveReader::read_with_options(bytes, options).map_err(|error| rar_trouble(&error, meter))?;
    let all: Vec<ArchiveMember> = archive.members().collect();
    if all.iter().any(|member| member.meta.is_split_before || member.meta.is_split_after) {
        return Err(split_archive());
    }
    let files: Vec<&ArchiveMember> = all.iter().filter(|member| is_file(member)).collect();
    if files.is_empty() {
        return Err(nothing_inside());
    }
    if files.iter().all(|member| member.meta.is_encrypted) {
        return Err(Trouble::Encrypted);
    }
    let solid = all.iter().any(ArchiveMember::is_solid);
    let walk = RefCell::new(RarWalk { meter, sink, open: None, stopped: None });
    let outcome = archive.extract_with_control_and_errors(
        options,
        |member| Ok(walk.borrow_mut().next(member, solid)),
        |_, error| {
            walk.borrow_mut().fail(rar_trouble(error, meter));
            Ok(ExtractionErrorAction::Continue)
        },
    );
    let mut walk = walk.into_inner();
    if let Err(error) = &outcome {
        walk.fail(rar_trouble(error, meter));
    }
    walk.close();
    match (walk.stopped.take(), outcome) {
        (Some(trouble), _) => Err(trouble),
        (None, Err(error)) => Err(rar_trouble(&error, meter)),
        (None, Ok(_)) => Ok(()),
    }
}

fn is_file(member: &ArchiveMember) -> bool {
    !member.meta.is_directory && !member.meta.is_redirection && !names::is_junk(&rar_name(member))
}

fn rar_name(member: &ArchiveMember) -> String {
    let name = member.decoded_name(None).map_or_else(|_| member.meta.name.clone(), std::borrow::Cow::into_owned);
    names::tidy(&names::decode(&name))
}

fn rar_trouble(error: &rars::Error, meter: &Meter<'_>) -> Trouble {
    match error.kind() {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => Trouble::Encrypted,
        ErrorKind::ResourceLimit => {
            let limits = meter.limits();
            let (output, dictionary) = (limits.container_output_max_bytes >> 20, limits.dictionary_max_bytes >> 20);
            Trouble::Refused(format!("压缩包超过上限（解压后{output}MB，字典{dictionary}MB，{}个文件）", limits.container_entries_max))
        }
        ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedFormat => {
            Trouble::Unsupported("该rar压缩包采用了不支持的格式。请改用zip格式打包后重新发送。".to_owned())
        }
        _ => Trouble::Damaged,
    }
}

/// One member at a time: it is handed over when the next one begins.
struct RarWalk<'m, 's> {
    meter: &'m Meter<'m>,
    sink: Sink<'s>,
    open: Option<(String, Rc<RefCell<Member>>)>,
    stopped: Option<Trouble>,
}

/// What came out of one member so far.
#[derive(Default)]
struct Member {
    bytes: Vec<u8>,
    charged: usize,
    entry_max_bytes: usize,
    failed: Option<Trouble>,
}

struct MemberSink(Rc<RefCell<Member>>);

impl Write for MemberSink {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let mut member = self.0.borrow_mut();
        member.charged += buffer.len();
        if member.charged <= member.entry_max_bytes {
            member.bytes.extend_from_slice(buffer);
        } else {
            member.bytes = Vec::new();
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl RarWalk<'_, '_> {
    fn next(&mut self, member: &ArchiveMember, solid: bool) -> ExtractionDecision {
        self.close();
        if self.stopped.is_some() {
            return ExtractionDecision::Stop;
        }
        if !is_file(member) {
            let keep_history = solid && !member.meta.is_directory && !member.meta.is_redirection;
            return if keep_history { ExtractionDecision::Extract(Box::new(std::io::sink())) } else { ExtractionDecision::Skip };
        }
        // A claim, but rars never lets more come out than the header claims; so the claim may be judged beforehand.
        let claimed = usize::try_from(member.meta.unpacked_size).unwrap_or(usize::MAX);
        if let Err(trouble) = self.meter.count_entry().and_then(|()| self.meter.charge(claimed)) {
            self.stopped = Some(trouble);
            return ExtractionDecision::Stop;
        }
        let name = rar_name(member);
        if member.meta.is_encrypted && !solid {
            (self.sink)(Entry { name, content: Err(Trouble::Encrypted) });
            return ExtractionDecision::Skip;
        }
        let open = Rc::new(RefCell::new(Member { entry_max_bytes: self.meter.entry_max_bytes(), ..Member::default() }));
        self.open = Some((name, Rc::clone(&open)));
        ExtractionDecision::Extract(Box::new(MemberSink(open)))
    }

    fn fail(&mut self, trouble: Trouble) {
        if let Some((_, member)) = &self.open {
            member.borrow_mut().failed = Some(trouble);
        }
    }

    fn close(&mut self) {
        let Some((name, member)) = self.open.take() else { return };
        let member = member.take();
        let content = match member.failed {
            Some(trouble) => Err(trouble),
            None if member.charged > member.entry_max_bytes => Err(self.meter.too_large()),
            None => Ok(member.bytes),
        };
        (self.sink)(Entry { name, content });
    }
}

/// The one file of a gzip stream, or the entries of the tar inside it.
///
/// # Errors
/// What keeps it from being read.
pub fn open_gzip(bytes: &[u8], name: &str, meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
    meter.count_entry()?;
    let stored = decoder.header().and_then(|header| header.filename()).map(|raw| names::tidy(&names::decode(raw)));
    let inner = meter.read(&mut decoder, false)?;
    if inner.get(257..).is_some_and(|rest| rest.starts_with(b"ustar")) {
        return open_tar(&inner, meter, sink);
    }
    let base = names::base(name);
    let shorter = base.strip_suffix(".gz").or_else(|| base.strip_suffix(".GZ")).unwrap_or(base).to_owned();
    sink(Entry { name: stored.unwrap_or(shorter), content: Ok(inner) });
    Ok(())
}

/// Hands over every file of a tar archive.
///
/// # Errors
/// What keeps the rest of the archive from being read.
pub fn open_tar(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let mut archive = tar::Archive::new(bytes);
    let mut files = 0_usize;
    for entry in archive.entries().map_err(|_| Trouble::Damaged)? {
        let mut entry = entry.map_err(|_| Trouble::Damaged)?;
        let name = names::tidy(&names::decode(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) || names::is_junk(&name) {
            continue;
        }
        meter.count_entry()?;
        files += 1;
        match meter.read(&mut entry.by_ref(), false) {
            Err(Trouble::Refused(limit)) => return Err(Trouble::Refused(limit)),
            content => sink(Entry { name, content }),
        }
    }
    if files == 0 { Err(nothing_inside()) } else { Ok(()) }
}
