//! Marks nobody can guess: tags, branches, nonces of the phone, numbers of its sound.

/// Random bytes; zeros only if the machine has no randomness at all, which breaks nothing but privacy.
pub(crate) fn bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    let _ = openssl::rand::rand_bytes(&mut bytes);
    bytes
}

/// Sixteen hexadecimal digits.
pub(crate) fn token() -> String {
    format!("{:016x}", u64::from_be_bytes(bytes()))
}
