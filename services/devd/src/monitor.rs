//! Messages of libudev's monitors: a header by which sockets filter, then the variables.

/// "libudev", then these in network byte order, are how a monitor knows its messages.
const PREFIX: &[u8; 8] = b"libudev\0";
const MAGIC: u32 = 0xfeed_cafe;
const HEADER: u32 = 40;

/// MurmurHash2 of a text, with the seed 0 (Austin Appleby, public domain).
pub fn hash(text: &str) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let bytes = text.as_bytes();
    let mut hash = bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

/// The bits of a tag in the header's filter.
fn bloom(tag: &str) -> u64 {
    let hash = hash(tag);
    [0, 6, 12, 18].iter().fold(0, |bits, shift| bits | 1 << (hash >> shift & 63))
}

/// The message for an event.
pub fn encode(variables: &[(String, String)], tags: &[&str]) -> Vec<u8> {
    let value = |key: &str| variables.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str());
    let hash_of = |key: &str| value(key).map_or(0, hash);
    let body: Vec<u8> = variables.iter().flat_map(|(key, value)| format!("{key}={value}\0").into_bytes()).collect();
    let filter = tags.iter().fold(0, |bits, tag| bits | bloom(tag));
    let mut out = PREFIX.to_vec();
    out.extend(MAGIC.to_be_bytes());
    for word in [HEADER, HEADER, body.len() as u32] {
        out.extend(word.to_ne_bytes());
    }
    for word in [hash_of("SUBSYSTEM"), hash_of("DEVTYPE"), (filter >> 32) as u32, filter as u32] {
        out.extend(word.to_be_bytes());
    }
    out.extend(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_murmurs() {
        // Values of the published algorithm.
        assert_eq!(hash(""), 0);
        assert_ne!(hash("input"), hash("drm"));
        assert_eq!(bloom("seat").count_ones().clamp(1, 4), bloom("seat").count_ones());
    }

    #[test]
    fn the_header_says_where_the_variables_are() {
        let variables = [("ACTION".to_owned(), "add".to_owned()), ("SUBSYSTEM".to_owned(), "input".to_owned())];
        let message = encode(&variables, &["seat"]);
        assert_eq!(&message[..12], b"libudev\0\xfe\xed\xca\xfe");
        assert_eq!(message[20..24], 27u32.to_ne_bytes());
        assert_eq!(message[24..28], hash("input").to_be_bytes());
        assert_eq!(&message[40..], b"ACTION=add\0SUBSYSTEM=input\0");
    }
}
