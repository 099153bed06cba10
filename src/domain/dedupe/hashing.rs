//! The one hash of signatures: fixed for ever, because its values are stored.

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every input bit moves every output bit.
#[must_use]
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One value for a sequence.
#[must_use]
pub fn chain(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0x616E_6E65_7864, |hash, value| mix(hash ^ value))
}

/// One value for a text.
#[must_use]
pub fn text(text: &str) -> u64 {
    chain(text.chars().map(u64::from))
}

/// A small table to begin with. Not by `vec!`: where memory must be given zeroed, glibc (before 2.41) passes by the blocks that the
/// thread has just freed, and in the heap of a million topics looks long for others.
pub fn zeros<T: Clone + Default>(length: usize) -> Vec<T> {
    std::iter::repeat_n(T::default(), length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_values_never_change() {
        assert_eq!(mix(1), 0x910A_2DEC_8902_5CC1);
        assert_ne!(text("甲乙"), text("乙甲"));
    }
}
