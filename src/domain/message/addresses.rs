//! Addresses of From, To and Cc (RFC 5322 section 3.4), lenient: names in any encoding, with or without quotes.

use super::{Mailbox, names};
use crate::domain::folding::one_line;

/// All mailboxes of one header value. What holds no address is left out.
pub fn parse(value: &[u8]) -> Vec<Mailbox> {
    split(value).iter().filter_map(|piece| mailbox(piece)).collect()
}

/// Pieces between commas that stand outside quotes and angle brackets; a group's `name:` and `;` drop out.
fn split(value: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let (mut quoted, mut bracket, mut comment) = (false, false, 0_u32);
    for byte in value {
        match byte {
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracket = true,
            b'>' if !quoted => bracket = false,
            b'(' if !quoted && !bracket => comment += 1,
            b')' if !quoted && !bracket => comment = comment.saturating_sub(1),
            b',' | b';' if !quoted && !bracket && comment == 0 => {
                pieces.push(std::mem::take(&mut piece));
                continue;
            }
            b':' if !quoted && !bracket && comment == 0 => {
                piece.clear();
                continue;
            }
            _ => {}
        }
        piece.push(*byte);
    }
    pieces.push(piece);
    pieces
}

fn mailbox(piece: &[u8]) -> Option<Mailbox> {
    let piece = piece.trim_ascii();
    let (name, address) = match piece.iter().rposition(|byte| *byte == b'<') {
        Some(at) => {
            let address = piece.get(at + 1..)?;
            let end = address.iter().position(|byte| *byte == b'>').unwrap_or(address.len());
            (piece.get(..at)?, address.get(..end)?)
        }
        None => (&[][..], piece.split(|byte| *byte == b'(').next().unwrap_or_default()),
    };
    let address: String = String::from_utf8_lossy(address).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let name = one_line(&names::decode(name.trim_ascii()));
    Some(Mailbox { name: name.trim_matches(['"', '\'', ' ']).to_owned(), address: format!("{local}@{}", domain.to_lowercase()) })
}
