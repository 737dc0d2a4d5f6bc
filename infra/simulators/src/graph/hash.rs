//! Short hashes that stay the same across restarts.

use sha2::{Digest, Sha256};

/// The first 64 bits of the SHA-256 of the parts, each terminated so that they cannot run together.
pub(crate) fn of(parts: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0xff]);
    }
    let bytes = digest.finalize();
    bytes.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}
