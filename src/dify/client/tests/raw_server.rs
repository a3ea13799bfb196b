//! A server of raw bytes for tests: answers what it is given, byte for byte, and misbehaves on demand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::dify::client::tests::raw_http::{RawRequest, take_request};

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

/// A running server; ends when dropped.
pub struct RawServer {
    /// Its address without `/v1`.
    pub address: String,
    /// Connections accepted.
    pub connections: Arc<AtomicUsize>,
    /// Requests read.
    pub requests: Arc<Mutex<Vec<RawRequest>>>,
    task: JoinHandle<()>,
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RawServer {
    /// Starts on a free port of this machine; `answer` decides for each request.
    pub async fn start(answer: impl Fn(&RawRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
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
    pub fn seen(&self, target: &str) -> Vec<RawRequest> {
        self.requests.lock().unwrap().iter().filter(|seen| seen.target.starts_with(target)).cloned().collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<RawRequest>>,
    answer: &(dyn Fn(&RawRequest) -> Vec<Step> + Send + Sync),
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

async fn read_request(stream: &mut TcpStream, pending: &mut Vec<u8>) -> std::io::Result<Option<RawRequest>> {
    let mut buffer = [0; 8192];
    loop {
        if let Some(request) = take_request(pending) {
            return Ok(Some(request));
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(None);
        }
        pending.extend_from_slice(&buffer[..count]);
    }
}
