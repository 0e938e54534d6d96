//! Functions that the fuzz targets share: cutting an input into pieces, and parsing messages.

use wechat::wechat::{Age, Credentials, Message, MessageError, Token, Verified};
use wechat::xml::Document;

/// The token of all messages.
pub const TOKEN: &str = "hello2021";

/// The time at which all messages are received, in seconds since 1970.
pub const NOW: u64 = 1_700_000_000;

/// Four offsets at which to cut the input, sorted. The offsets are derived from a hash of the input and not read from the
/// input, so that an input that fails can be used as a fixture without change.
pub fn cuts(bytes: &[u8]) -> [usize; 4] {
    // FNV-1a, then one step of a linear congruential generator for each offset.
    let mut state = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01B3)
    });
    let mut cuts = [0; 4];
    for cut in &mut cuts {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        *cut = usize::try_from(state >> 33).unwrap_or(0) % (bytes.len() + 1);
    }
    cuts.sort_unstable();
    cuts
}

/// The five pieces of the input between its cuts.
pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let cuts = cuts(bytes);
    let ends = cuts.into_iter().chain([bytes.len()]);
    let starts = [0].into_iter().chain(cuts);
    starts.zip(ends).map(|(start, end)| &bytes[start..end])
}

/// The signature with this token over the timestamp [`NOW`] and the nonce `1`.
pub fn signature(token: &Token) -> String {
    token.sign(NOW.to_string().as_bytes(), b"1").to_string()
}

fn verified() -> Verified {
    let token = Token::parse(TOKEN).unwrap();
    let (signature, timestamp) = (signature(&token), NOW.to_string());
    let credentials = Credentials {
        signature: signature.as_bytes(),
        timestamp: timestamp.as_bytes(),
        nonce: b"1",
    };
    token.verify(&credentials, NOW, Age::AtMost(0)).unwrap()
}

/// Parses the bytes with the message reader, and calls `read` with the message.
///
/// # Errors
/// [`MessageError`] if the bytes are not a message.
pub fn with_message<T>(
    bytes: &[u8],
    read: impl FnOnce(&Message<'_>) -> T,
) -> Result<T, MessageError> {
    let xml = Document::parse_message(bytes)?;
    Ok(read(&Message::parse(verified(), &xml)?))
}

/// Parses the text with the file reader, and calls `read` with the message.
///
/// # Errors
/// `None` if the text is not well-formed, or a [`MessageError`] if it is not a message.
pub fn with_file_as_message<T>(
    text: &str,
    read: impl FnOnce(&Message<'_>) -> T,
) -> Result<T, Option<MessageError>> {
    let xml = Document::parse_file(text).map_err(|_| None)?;
    let message = Message::parse(verified(), &xml).map_err(Some)?;
    Ok(read(&message))
}
