//! The child's side: shut itself in, then read mails from standard input until it closes.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    process::MEMORY_VARIABLE,
    wire::{FRAME_MAX_BYTES, Packed, Reply, Request, length, packed},
};
use crate::domain::verdict::{Go, Knowledge, attached::attached, read_watched, recognised};

mod recogniser;
mod sandbox;

pub use recogniser::become_recogniser;
pub use sandbox::{Confinement, probe};

/// Address space where the parent names none.
const MEMORY_MAX_BYTES: u64 = 1 << 30;

/// Runs until the parent closes the pipe.
///
/// # Errors
/// When the pipe breaks or the parent speaks another language.
pub fn serve() -> io::Result<()> {
    sandbox::shut_in(memory_max_bytes());
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let Some(knowledge) = frame(&mut input)? else { return Ok(()) };
    let knowledge: Knowledge = serde_json::from_slice(&knowledge).map_err(io::Error::other)?;
    while let Some(request) = frame(&mut input)? {
        let request: Request = serde_json::from_slice(&request).map_err(io::Error::other)?;
        let Some(raw) = frame(&mut input)? else { return Ok(()) };
        if let Some(wanted) = request.wanted {
            let files = catch_unwind(AssertUnwindSafe(|| attached(&raw, &wanted, &knowledge.limits)));
            // What a panic leaves behind is not trusted with another mail.
            let Ok(files) = files else { return Ok(()) };
            say(&mut output, &Reply::Files(files.into_iter().map(Packed::of).collect()))?;
            continue;
        }
        if let Some(path) = request.pictures_of {
            let pictures = catch_unwind(AssertUnwindSafe(|| recognised::pictures(&raw, &path, &knowledge.limits)));
            let Ok(pictures) = pictures else { return Ok(()) };
            say(&mut output, &Reply::Pictures(pictures.iter().map(|picture| packed(picture)).collect()))?;
            continue;
        }
        let mut broken_pipe = None;
        let reading = catch_unwind(AssertUnwindSafe(|| {
            read_watched(&raw, &knowledge, &mut |path| {
                if let Some(why) = request.set_aside.get(path) {
                    return Go::SetAside(why.clone());
                }
                broken_pipe = say(&mut output, &Reply::Looking(path.to_owned())).err().or(broken_pipe.take());
                Go::Read
            })
        }));
        if let Some(error) = broken_pipe {
            return Err(error);
        }
        match reading {
            Ok(reading) => say(&mut output, &Reply::Done(Box::new(reading)))?,
            Err(panic) => {
                let said = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
                say(&mut output, &Reply::Panicked(said.unwrap_or_default()))?;
                // What a panic leaves behind is not trusted with another mail.
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The address space that the parent has named.
fn memory_max_bytes() -> u64 {
    std::env::var(MEMORY_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(MEMORY_MAX_BYTES)
}

/// One frame; `None` where the parent has closed the pipe.
fn frame(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    match input.read_exact(&mut prefix) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if length > FRAME_MAX_BYTES {
        return Err(io::Error::other("a frame is too large"));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn say(output: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let bytes = serde_json::to_vec(reply).map_err(io::Error::other)?;
    output.write_all(&length(&bytes))?;
    output.write_all(&bytes)?;
    output.flush()
}
