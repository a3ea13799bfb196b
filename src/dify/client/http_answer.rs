//! The one door to an answer: its head, whether its body can be read at all, then the body piece by piece, decompressed
//! where it is gzip.
//!
//! gzip may come in several members, one after the other (RFC 1952, 2.2): all of them together are the body.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use reqwest::{Response, StatusCode};

use crate::dify::client::encoding::{is_gzip, unreadable_encoding};
use crate::dify::client::failure::ReadFailure;

/// Compressed bytes that are decompressed at once: no piece is longer than a thousand times that, the most of deflate.
const AT_ONCE: usize = 1024;

/// An answer whose head has come.
#[derive(Debug)]
pub struct HttpAnswer {
    response: Response,
    gunzip: Option<Box<Gunzip>>,
    unreadable: Option<String>,
}

/// Sends a request and waits for the head of its answer.
pub async fn execute(
    http: &reqwest::Client,
    request: reqwest::Request,
) -> Result<HttpAnswer, reqwest::Error> {
    http.execute(request).await.map(HttpAnswer::of)
}

impl HttpAnswer {
    /// Of a head. Where the body is decompressed here, the headers that describe it as it was sent are taken away.
    pub fn of(mut response: Response) -> Self {
        let gunzip = is_gzip(response.headers()).then(|| Box::new(Gunzip::new()));
        if gunzip.is_some() {
            let headers = response.headers_mut();
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        let unreadable = unreadable_encoding(response.headers());
        Self { response, gunzip, unreadable }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Why its body cannot be read, a clause; `None` where it can.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// The next piece of the body as it is meant, perhaps empty; `None` at its end. Nothing is lost when this is dropped.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ReadFailure> {
        if let Some(why) = &self.unreadable {
            return Err(ReadFailure::Unreadable(why.clone()));
        }
        let Some(gunzip) = &mut self.gunzip else {
            return self.response.chunk().await.map_err(ReadFailure::Broken);
        };
        if let Some(failure) = gunzip.failure.take() {
            return Err(failure);
        }
        if gunzip.compressed.is_empty() {
            match self.response.chunk().await.map_err(ReadFailure::Broken)? {
                Some(compressed) => gunzip.compressed = compressed,
                None => return gunzip.end(),
            }
        }
        gunzip.next().map(Some)
    }

    /// Reads the rest of the body without looking at it.
    pub async fn drain(&mut self) {
        while let Ok(Some(_)) = self.response.chunk().await {}
    }
}

/// Decompresses as much as has come.
#[derive(Debug)]
struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// What came and is not decompressed yet.
    compressed: Bytes,
    has_begun: bool,
    /// What went wrong after the piece that was given last.
    failure: Option<ReadFailure>,
}

impl Gunzip {
    fn new() -> Self {
        let decoder = MultiGzDecoder::new(Vec::new());
        Self { decoder, compressed: Bytes::new(), has_begun: false, failure: None }
    }

    /// Takes a little more of what came.
    fn next(&mut self) -> Result<Bytes, ReadFailure> {
        let length = self.compressed.len().min(AT_ONCE);
        let compressed = self.compressed.split_to(length);
        self.has_begun |= length > 0;
        let taken = self.decoder.write_all(&compressed).and_then(|()| self.decoder.flush());
        let text = std::mem::take(self.decoder.get_mut());
        match taken {
            Ok(()) => Ok(text.into()),
            Err(error) if text.is_empty() => Err(no_gzip(&error)),
            Err(error) => {
                self.failure = Some(no_gzip(&error));
                Ok(text.into())
            }
        }
    }

    /// The rest, if there is any, once nothing more comes; an error where the last member is not whole.
    fn end(&mut self) -> Result<Option<Bytes>, ReadFailure> {
        if !self.has_begun {
            return Ok(None);
        }
        self.decoder.try_finish().map_err(|error| no_gzip(&error))?;
        let rest = std::mem::take(self.decoder.get_mut());
        Ok((!rest.is_empty()).then(|| rest.into()))
    }
}

fn no_gzip(error: &std::io::Error) -> ReadFailure {
    ReadFailure::Unreadable(format!("the compressed answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The body of these pieces as they come over the wire, and its longest piece.
    fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, usize), String> {
        let mut gunzip = Gunzip::new();
        let (mut body, mut longest) = (Vec::new(), 0);
        for piece in pieces {
            gunzip.compressed = Bytes::copy_from_slice(piece);
            while !gunzip.compressed.is_empty() {
                let text = gunzip.next().map_err(|failure| failure.reason())?;
                longest = longest.max(text.len());
                body.extend_from_slice(&text);
                if let Some(failure) = gunzip.failure.take() {
                    return Err(failure.reason());
                }
            }
        }
        body.extend(gunzip.end().map_err(|failure| failure.reason())?.unwrap_or_default());
        Ok((body, longest))
    }

    #[test]
    fn all_members_are_the_body_wherever_the_pieces_end() {
        let whole = [member(b"{\"a\":"), member(b""), member(b"1}")].concat();
        assert_eq!(read(&[&whole]).unwrap().0, b"{\"a\":1}");
        for at in 0..=whole.len() {
            let (first, second) = whole.split_at(at);
            assert_eq!(read(&[first, second]).unwrap().0, b"{\"a\":1}", "cut at {at}");
        }
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&single).unwrap().0, b"{\"a\":1}");
        assert_eq!(read(&[]).unwrap().0, b"", "no body at all is an empty one");
    }

    #[test]
    fn what_is_no_whole_gzip_is_named() {
        let whole = [member(b"one"), member(b"two")].concat();
        for at in 1..whole.len() {
            let is_between = at == member(b"one").len();
            assert_eq!(read(&[&whole[..at]]).is_ok(), is_between, "cut at {at}");
        }
        for after in [&b"x"[..], b"\n", b"\0\0\0\0", b"\x1f\x8b\x08"] {
            let told = read(&[&whole, after]).unwrap_err();
            assert!(told.starts_with("the compressed answer cannot be read"), "{told}");
        }
        let mut flipped = member(b"one");
        let last = flipped.len() - 5;
        flipped[last] ^= 1;
        assert!(read(&[&flipped]).is_err(), "its checksum is wrong");
        assert!(read(&[b"this is not gzip"]).is_err());
    }

    #[test]
    fn each_piece_of_a_stream_is_there_once_it_is_flushed() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut gunzip = Gunzip::new();
        for number in 0..50 {
            let event = format!("data: {number}\n\n");
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            gunzip.compressed = std::mem::take(encoder.get_mut()).into();
            assert_eq!(gunzip.next().unwrap(), event);
        }
    }

    #[test]
    fn a_bomb_comes_in_pieces_of_a_bounded_length() {
        let bomb = member(&vec![b' '; 20_000_000]);
        let (body, longest) = read(&[&bomb, &bomb]).unwrap();
        assert_eq!(body.len(), 40_000_000);
        assert!(longest <= 1100 * AT_ONCE, "{longest} bytes of {AT_ONCE}");
    }
}
