//! A server of raw bytes for tests: answers what it is told, byte for byte, and misbehaves on demand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// One step of an answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes at once.
    Send(Vec<u8>),
    /// Writes byte by byte.
    Drip(Vec<u8>),
    /// Waits until so long after the request was read.
    Until(Duration),
    /// Writes the bytes again and again until the client leaves.
    Endless(Vec<u8>),
    /// Holds the connection and says nothing more.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST /v1/workflows/run`.
    pub target: String,
    /// The head, names in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A running server; ends when dropped.
pub struct RawServer {
    /// Its address without `/v1`.
    pub address: String,
    /// Connections accepted.
    pub connections: Arc<AtomicUsize>,
    /// Requests read.
    pub requests: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RawServer {
    /// Starts on a free port of this machine; `answer` decides for each request.
    pub async fn start(answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (counted, kept, answer) = (connections.clone(), requests.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (kept, answer) = (kept.clone(), answer.clone());
                serving.spawn(async move {
                    drop(serve(stream, &kept, &*answer).await);
                });
            }
        });
        Self { address, connections, requests, task }
    }

    /// The requests whose target starts so.
    pub fn seen(&self, target: &str) -> Vec<Seen> {
        self.requests.lock().unwrap().iter().filter(|seen| seen.target.starts_with(target)).cloned().collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen) -> Vec<Step> + Send + Sync),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut pending = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut pending).await? {
        kept.lock().unwrap().push(seen.clone());
        let started = Instant::now();
        for step in answer(&seen) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Drip(bytes) => {
                    for byte in bytes {
                        stream.write_all(&[byte]).await?;
                    }
                }
                Step::Until(offset) => tokio::time::sleep_until(started + offset).await,
                Step::Endless(bytes) => loop {
                    stream.write_all(&bytes).await?;
                },
                Step::Hang => std::future::pending().await,
                Step::Close => return stream.shutdown().await,
                Step::Reset => return socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
            }
        }
    }
    Ok(())
}

async fn read_request(stream: &mut TcpStream, pending: &mut Vec<u8>) -> std::io::Result<Option<Seen>> {
    let mut buffer = [0; 8192];
    loop {
        if let Some(end) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&pending[..end]).into_owned();
            let lower = head.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if pending.len() >= end + 4 + length {
                let body = pending[end + 4..end + 4 + length].to_vec();
                pending.drain(..end + 4 + length);
                let target = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                return Ok(Some(Seen { target, head: lower, body }));
            }
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(None);
        }
        pending.extend_from_slice(&buffer[..count]);
    }
}

/// An answer with a length.
pub fn document(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The head of a stream in chunks.
pub fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Version: 1.14.2\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()
}

/// One chunk of a body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}
