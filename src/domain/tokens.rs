//! Keyed tokens: what our letters to a division carry, so that an order by mail can be told from a forged one.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Hex digits of a token: 48 bits cannot be guessed by mail.
const TOKEN_CHARS: usize = 12;

/// The token of a division under the installation's secret. It stands in the subject and, hashed, in the Message-ID of its letters.
#[must_use]
pub fn division_token(secret: &[u8], division: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(b"division\0");
    mac.update(division.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(TOKEN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_division_and_each_installation_has_its_own_token() {
        let token = division_token(b"secret", "pharma");
        assert_eq!(token.len(), TOKEN_CHARS);
        assert_ne!(token, division_token(b"secret", "food"));
        assert_ne!(token, division_token(b"another", "pharma"));
        assert_eq!(token, division_token(b"secret", "pharma"));
    }
}
