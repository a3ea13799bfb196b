//! A minimal Dify on loopback: answers each run with recorded bytes and counts what it was asked.
//!
//! It prints its port, answers each line it reads with one (its counts, or the times of its own clock), and ends when
//! its standard input does.

use std::convert::Infallible;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::{self, Answer, Sending};
use crate::failure::Failure;
use crate::own_clock::{OwnClock, Watch};

/// The key that the endpoint asks for.
pub const KEY: &str = "app-flowproof-benchmark";

/// The line that asks for the counts.
pub const ASK_COUNTS: &str = "counts";

/// The line that asks for the times since the last such line.
pub const ASK_TIMES: &str = "times";

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What the endpoint was asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Runs that it answered.
    pub runs: u64,
    /// Sum of the row numbers of these runs: each row once gives n (n + 1) / 2.
    pub row_sum: u64,
    /// Requests that it refused, and requests of anything but a run.
    pub others: u64,
    /// Connections that were opened.
    pub connections: u64,
}

/// What the tasks of the endpoint share.
struct Desk {
    delay: Duration,
    streaming: Answer,
    blocking: Answer,
    clock: Option<Arc<OwnClock>>,
    runs: AtomicU64,
    row_sum: AtomicU64,
    others: AtomicU64,
    connections: AtomicU64,
}

/// The part of a run's request that the endpoint looks at.
#[derive(Debug, Deserialize)]
struct Asked {
    inputs: Inputs,
    user: String,
    response_mode: String,
}

/// The variables of the benchmark's workflow.
#[derive(Debug, Deserialize)]
struct Inputs {
    n: u64,
    query: String,
}

/// Serves until the standard input ends.
pub fn serve(delay: Duration, sending: Sending) -> Result<(), Failure> {
    let desk = Arc::new(Desk {
        delay,
        streaming: answers::streaming(sending)?,
        blocking: answers::blocking()?,
        clock: (sending == Sending::Timed).then(Arc::default),
        runs: AtomicU64::new(0),
        row_sum: AtomicU64::new(0),
        others: AtomicU64::new(0),
        connections: AtomicU64::new(0),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("start a runtime"))?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::io("listen on loopback"))?;
        let port = listener.local_addr().map_err(Failure::io("ask for the port"))?.port();
        say(&port.to_string())?;
        let attended = Arc::clone(&desk);
        let attend = tokio::task::spawn_blocking(move || attend(&attended));
        tokio::select! {
            end = attend => end.unwrap_or(Ok(())),
            () = accept(listener, desk) => Ok(()),
        }
    })
}

/// Answers each line that is read, until there is none.
fn attend(desk: &Desk) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(Failure::io("read the standard input"))?;
        let answer = if line == ASK_TIMES {
            serde_json::to_string(&desk.clock.as_ref().map(|clock| clock.take()).unwrap_or_default())
        } else {
            serde_json::to_string(&desk.counts())
        };
        say(&answer.map_err(|error| Failure::unreadable(line, error))?)?;
    }
    Ok(())
}

impl Desk {
    fn counts(&self) -> Counts {
        Counts {
            runs: self.runs.load(Ordering::SeqCst),
            row_sum: self.row_sum.load(Ordering::SeqCst),
            others: self.others.load(Ordering::SeqCst),
            connections: self.connections.load(Ordering::SeqCst),
        }
    }
}

/// Prints a line at once.
fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::io("write the standard output"))
}

/// Takes connections until the listener breaks.
async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        desk.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve_connection(stream, Arc::clone(&desk)));
    }
}

/// Answers the requests of one connection.
async fn serve_connection(stream: TcpStream, desk: Arc<Desk>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&desk)));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    // A client that hangs up in mid-stream is the client's affair.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// Answers one request as Dify would.
async fn answer(request: Request<Incoming>, desk: Arc<Desk>) -> Result<Response<Body>, Infallible> {
    let refused = if request.method() != Method::POST || request.uri().path() != "/v1/workflows/run" {
        StatusCode::NOT_FOUND
    } else if !is_authorized(&request) {
        StatusCode::UNAUTHORIZED
    } else {
        let body = request.into_body().collect().await;
        let read_at = Instant::now();
        match body.map(|body| read_request(&body.to_bytes())) {
            Ok(Some(asked)) => return Ok(run(&asked, &desk, read_at).await),
            Ok(None) | Err(_) => StatusCode::BAD_REQUEST,
        }
    };
    desk.others.fetch_add(1, Ordering::SeqCst);
    Ok(refusal(refused))
}

/// Whether a request carries the key.
fn is_authorized(request: &Request<Incoming>) -> bool {
    let key = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    key.and_then(|value| value.strip_prefix(b"Bearer ")).is_some_and(|key| key == KEY.as_bytes())
}

/// Reads a run's request; `None` where something is missing.
fn read_request(body: &[u8]) -> Option<Asked> {
    let asked: Asked = serde_json::from_slice(body).ok()?;
    (!asked.user.is_empty() && !asked.inputs.query.is_empty()).then_some(asked)
}

/// Answers a run and counts it.
async fn run(asked: &Asked, desk: &Desk, read_at: Instant) -> Response<Body> {
    desk.runs.fetch_add(1, Ordering::SeqCst);
    desk.row_sum.fetch_add(asked.inputs.n, Ordering::SeqCst);
    if asked.response_mode == "streaming" {
        let watch = desk.clock.as_ref().map(|clock| Watch::new(Arc::clone(clock), asked.inputs.n, read_at));
        return with_headers(&desk.streaming, stream_body(&desk.streaming, desk.delay, watch));
    }
    if !desk.delay.is_zero() {
        tokio::time::sleep(desk.delay).await;
    }
    let whole = desk.blocking.parts.first().cloned().unwrap_or_default();
    with_headers(&desk.blocking, Full::new(whole).boxed_unsync())
}

/// A stream: its parts one by one, a frame each, with an even share of the delay between them.
fn stream_body(answer: &Answer, delay: Duration, watch: Option<Watch>) -> Body {
    let gaps = u32::try_from(answer.parts.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let pause = delay.checked_div(gaps).unwrap_or_default();
    let state = (0, Arc::clone(&answer.parts), watch);
    let frames = stream::unfold(state, move |(index, parts, mut watch)| async move {
        let part = parts.get(index)?.clone();
        if index > 0 && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if let Some(watch) = &mut watch {
            watch.part(index, parts.len());
        }
        Some((Ok(Frame::data(part)), (index + 1, parts, watch)))
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

/// HTTP 200 with the recorded headers.
fn with_headers(answer: &Answer, body: Body) -> Response<Body> {
    let mut builder = Response::builder().status(StatusCode::OK);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).expect("recorded headers are valid headers")
}

/// The error that Dify has for it.
fn refusal(status: StatusCode) -> Response<Body> {
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("not_found", "nothing here but POST /v1/workflows/run"),
        StatusCode::UNAUTHORIZED => ("unauthorized", "Access token is invalid"),
        _ => ("invalid_param", "n and query are required in input form"),
    };
    let body = serde_json::json!({ "code": code, "message": message, "status": status.as_u16() }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
