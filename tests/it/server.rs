//! A server of raw bytes on a loopback port: answers what it is given, misbehaves on demand, remembers what it was asked.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::project::Project;
use crate::raw_http::{RawRequest, take_request};

pub use crate::raw_http::{chunk, document, stream_head, with_headers};

/// The key of every live app in these tests: it must never be seen in any output.
pub const KEY: &str = "app-K3yOfTheTests/0123+x";

/// No connection of a test lives longer.
const LONGEST: Duration = Duration::from_secs(120);

/// One step of an answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes at once.
    Send(Vec<u8>),
    /// Waits.
    Sleep(Duration),
    /// Writes the bytes again and again until the client leaves.
    Endless(Vec<u8>),
    /// Says nothing more and waits until the client leaves.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Carries everything to and from another server (a proxy's `CONNECT`).
    Tunnel(SocketAddr),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST /v1/workflows/run`, or with a whole address when it came to a proxy.
    pub target: String,
    /// The head, in lower case.
    pub head: String,
    /// The body; null where it is no JSON.
    pub body: Value,
    /// Which request it is for the server, from 0.
    pub number: usize,
    /// When it had been read.
    pub at: Instant,
}

impl Seen {
    /// An input of the run.
    pub fn input(&self, name: &str) -> &str {
        self.body["inputs"][name].as_str().unwrap_or_default()
    }

    /// True for a run, false for a stop or an upload.
    pub fn is_run(&self) -> bool {
        self.target.starts_with("POST ") && self.target.ends_with("/workflows/run")
    }
}

#[derive(Default)]
struct Record {
    connections: AtomicUsize,
    closed: AtomicUsize,
    requests: Mutex<Vec<Seen>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    ended: AtomicBool,
}

/// A running server; it accepts nothing more once dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    record: Arc<Record>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.record.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

type Answer = dyn Fn(&Seen) -> Vec<Step> + Send + Sync;

impl Server {
    /// Serves plain HTTP; `answer` decides for each request.
    pub fn start(answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), None, answer)
    }

    /// Serves HTTPS.
    pub fn start_tls(
        config: Arc<ServerConfig>,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), Some(config), answer)
    }

    /// Serves on a socket that listens already.
    pub fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let (kept, answer, scheme): (_, Arc<Answer>, _) =
            (record.clone(), Arc::new(answer), if tls.is_some() { "https" } else { "http" });
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if kept.ended.load(Ordering::SeqCst) {
                    return;
                }
                kept.connections.fetch_add(1, Ordering::SeqCst);
                let (kept, answer, tls) = (kept.clone(), answer.clone(), tls.clone());
                // A client that leaves in the midst is what many of these tests are about.
                std::thread::spawn(move || {
                    drop(connection(stream, tls, &kept, &*answer));
                    kept.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, scheme, record }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a target's `base_url`.
    pub fn base_url(&self) -> String {
        format!("{}://{}/v1", self.scheme, self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.record.requests.lock().unwrap().clone()
    }

    /// How many requests came so far.
    pub fn count(&self) -> usize {
        self.record.requests.lock().unwrap().len()
    }

    /// The runs asked for so far.
    pub fn runs(&self) -> Vec<Seen> {
        self.requests().into_iter().filter(Seen::is_run).collect()
    }

    /// The stops asked for so far: task id and user.
    pub fn stops(&self) -> Vec<(String, String)> {
        let stop = |seen: &Seen| {
            let task = seen.target.strip_prefix("POST /v1/workflows/tasks/")?.strip_suffix("/stop")?;
            Some((task.to_owned(), seen.body["user"].as_str()?.to_owned()))
        };
        self.requests().iter().filter_map(stop).collect()
    }

    /// Connections accepted.
    pub fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }

    /// True when every connection has ended, so that no request is still on its way.
    pub fn is_quiet(&self) -> bool {
        self.record.closed.load(Ordering::SeqCst) == self.connections()
    }

    /// The most requests that were being answered at once.
    pub fn most_in_flight(&self) -> usize {
        self.record.most_in_flight.load(Ordering::SeqCst)
    }
}

trait Wire: Read + Write + Send {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

fn connection(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    record: &Record,
    answer: &Answer,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_write_timeout(Some(LONGEST))?;
    match tls {
        None => serve(stream, record, answer),
        Some(config) => {
            let connection = ServerConnection::new(config).unwrap();
            serve(StreamOwned::new(connection, stream), record, answer)
        }
    }
}

fn serve(mut wire: impl Wire, record: &Record, answer: &Answer) -> std::io::Result<()> {
    let mut pending = Vec::new();
    while let Some(mut seen) = read_request(&mut wire, &mut pending)? {
        {
            let mut requests = record.requests.lock().unwrap();
            seen.number = requests.len();
            requests.push(seen.clone());
        }
        let going = record.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        record.most_in_flight.fetch_max(going, Ordering::SeqCst);
        let steps = answer(&seen);
        let last = steps.len().saturating_sub(1);
        for (index, step) in steps.into_iter().enumerate() {
            if index == last {
                // Before the last bytes: the client may send its next request as soon as it has them.
                record.in_flight.fetch_sub(1, Ordering::SeqCst);
            }
            match step {
                Step::Send(bytes) => wire.write_all(&bytes).and_then(|()| wire.flush())?,
                Step::Sleep(duration) => std::thread::sleep(duration),
                Step::Endless(bytes) => loop {
                    wire.write_all(&bytes)?;
                },
                Step::Hang => {
                    wire.read_to_end(&mut Vec::new())?;
                    return Ok(());
                }
                Step::Close => return wire.socket().shutdown(Shutdown::Both),
                Step::Reset => return socket2::SockRef::from(wire.socket()).set_linger(Some(Duration::ZERO)),
                Step::Tunnel(to) => return tunnel(wire.socket(), to),
            }
        }
    }
    Ok(())
}

fn tunnel(client: &TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let server = TcpStream::connect(to)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from_client, &mut to_server));
        drop(to_server.shutdown(Shutdown::Write));
    });
    let (mut from_server, mut to_client) = (server, client.try_clone()?);
    std::io::copy(&mut from_server, &mut to_client)?;
    client.shutdown(Shutdown::Both)
}

fn read_request(wire: &mut impl Wire, pending: &mut Vec<u8>) -> std::io::Result<Option<Seen>> {
    let mut buffer = [0; 8192];
    loop {
        if let Some(RawRequest { target, head, body }) = take_request(pending) {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            return Ok(Some(Seen { target, head, body, number: 0, at: Instant::now() }));
        }
        let count = wire.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        pending.extend_from_slice(&buffer[..count]);
    }
}

/// The header that each answer of Dify has.
pub const VERSION: &str = "X-Version: 1.14.2\r\n";

/// An error as Dify says it.
pub fn refusal(status: u16, code: &str, message: &str) -> Vec<Step> {
    let body = json!({ "code": code, "message": message, "status": status }).to_string();
    vec![Step::Send(with_headers(&format!("{status} Said"), "application/json", VERSION, body.as_bytes()))]
}

/// Dify's answer to a blocking run that succeeded with these outputs, given as JSON text.
pub fn run_document(outputs: &str) -> String {
    format!(
        r#"{{"task_id": "task-1", "workflow_run_id": "run-1", "data": {{"id": "run-1", "workflow_id": "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "status": "succeeded", "outputs": {outputs}, "error": null, "elapsed_time": 0.1, "total_tokens": 0, "total_steps": 2, "created_at": 1, "finished_at": 2}}}}"#
    )
}

/// A run that succeeded, whichever way it was asked for: the suites' answer to `assert: [{ path: $.x, equals: 1 }]`.
pub fn good(seen: &Seen) -> Vec<Step> {
    succeed(seen, r#"{"x":1}"#)
}

/// A run that succeeded with these outputs.
pub fn succeed(seen: &Seen, outputs: &str) -> Vec<Step> {
    if seen.body["response_mode"] == "blocking" {
        return vec![Step::Send(with_headers(
            "200 OK",
            "application/json; charset=utf-8",
            VERSION,
            run_document(outputs).as_bytes(),
        ))];
    }
    let mut bytes = stream_head();
    for event in [started("task-1"), finished("task-1", outputs)] {
        bytes.extend_from_slice(&event);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    vec![Step::Send(bytes)]
}

/// A ping as Dify sends it: without data.
pub fn ping() -> Vec<u8> {
    chunk(b"event: ping\n\n")
}

/// A data event of a task, in a chunk.
pub fn event(task: &str, name: &str, data: &str) -> Vec<u8> {
    let text = format!(
        "data: {{\"event\":\"{name}\",\"workflow_run_id\":\"run-1\",\"task_id\":\"{task}\",\"data\":{data}}}\n\n"
    );
    chunk(text.as_bytes())
}

/// `workflow_started`.
pub fn started(task: &str) -> Vec<u8> {
    event(
        task,
        "workflow_started",
        r#"{"id":"run-1","workflow_id":"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345","inputs":{},"created_at":1,"reason":"initial"}"#,
    )
}

/// `workflow_finished` with these outputs.
pub fn finished(task: &str, outputs: &str) -> Vec<u8> {
    let data = format!(
        r#"{{"id":"run-1","workflow_id":"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345","status":"succeeded","outputs":{outputs},"error":null,"elapsed_time":0.1,"total_tokens":0,"total_steps":2,"created_by":{{"id":"u","user":"u"}},"created_at":1,"finished_at":2,"exceptions_count":0,"files":[]}}"#
    );
    event(task, "workflow_finished", &data)
}

/// Writes a project file whose target `live` is this address, with more keys of the target, one a line.
///
/// Lost runs are looked for only shortly, unless the keys say otherwise.
pub fn target(project: &Project, base_url: &str, keys: &str) {
    let recovery =
        if keys.contains("recovery:") { "" } else { "\nrecovery: { deadline: 200ms, poll: 20ms }" };
    let keys = format!("{keys}{recovery}");
    let keys: String = keys.lines().map(|line| format!("    {line}\n")).collect();
    project.write(
        "flowproof.yaml",
        format!("version: 1\ntargets:\n  live:\n    base_url: {base_url}\n    api_key: \"{{{{ env.TEST_KEY }}}}\"\n{keys}"),
    );
}

/// A suite of this many tests that pass when the answer is `{"x": 1}`; each tells its name as input `t`.
pub fn suite_of(count: usize) -> String {
    let mut suite = String::from("version: 1\nname: S\ntests:\n");
    for number in 0..count {
        suite.push_str(&format!(
            "  - name: t{number}\n    inputs: {{ t: t{number} }}\n    assert: [{{ path: $.x, equals: 1 }}]\n"
        ));
    }
    suite
}
