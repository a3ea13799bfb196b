//! The yardstick: a bare tokio and reqwest loop that sends the same requests and makes the same four checks.
//!
//! It reads each event as JSON, and it keeps its rows and a latency for each. It has no retries, no timeouts,
//! no reports and no names: what flowproof does beyond that is what the ratios show.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_json_path::JsonPath;

use crate::Mode;
use crate::answers::{CHECKED, TOKEN_BOUND};
use crate::endpoint::KEY;
use crate::failure::Failure;
use crate::measure;
use crate::table::percentile;

/// What the loop is to do.
#[derive(Debug, clap::Args)]
pub struct Task {
    /// The endpoint's address, up to `/v1`.
    #[arg(long)]
    base_url: String,
    /// JSON Lines with the variables of each case.
    #[arg(long)]
    rows: PathBuf,
    /// Cases at once.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    concurrency: u32,
    /// Streams or blocking answers.
    #[arg(long, value_enum)]
    mode: Mode,
}

/// What the loop prints when it is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    /// Cases that passed their four checks.
    pub passed: u64,
    /// Cases that did not.
    pub failed: u64,
    /// First request to last answer, seconds.
    pub wall_s: f64,
    /// User and system time of the process, seconds.
    pub cpu_s: f64,
    /// Median of request sent to terminal event, milliseconds.
    pub median_latency_ms: f64,
    /// The 99th percentile of it.
    pub p99_latency_ms: f64,
    /// The most memory that the process held, KiB.
    pub peak_rss_kib: u64,
}

/// What the tasks of the loop share.
struct Shared {
    client: reqwest::Client,
    url: String,
    mode: Mode,
    rows: Vec<Value>,
    path: JsonPath,
    next: AtomicUsize,
    failed: AtomicU64,
}

/// Sends all cases, prints one line of JSON and tells whether all passed.
pub fn run(task: Task) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("start a runtime"))?;
    let shared = Arc::new(prepare(&task)?);
    let started = Instant::now();
    let mut latencies = runtime.block_on(send_all(Arc::clone(&shared), task.concurrency));
    let wall_s = started.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let failed = shared.failed.load(Ordering::SeqCst);
    let done = Done {
        passed: (latencies.len() as u64).saturating_sub(failed),
        failed,
        wall_s,
        cpu_s: measure::own_cpu()?.as_secs_f64(),
        median_latency_ms: percentile(&latencies, 0.5),
        p99_latency_ms: percentile(&latencies, 0.99),
        peak_rss_kib: measure::own_peak_rss_kib()?,
    };
    println!("{}", serde_json::to_string(&done).map_err(|error| Failure::unreadable("result", error))?);
    Ok(failed == 0)
}

/// Reads the rows and builds the client with the settings that flowproof's has on loopback (`src/client/connect.rs`).
fn prepare(task: &Task) -> Result<Shared, Failure> {
    let name = task.rows.display().to_string();
    let text = std::fs::read_to_string(&task.rows).map_err(Failure::io(format!("read {name}")))?;
    let rows = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Value>, _>>()
        .map_err(|error| Failure::unreadable(&name, error))?;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(task.concurrency as usize)
        .tls_certs_only([])
        .build()
        .map_err(|error| Failure::unreadable("client", error))?;
    Ok(Shared {
        client,
        url: format!("{}/workflows/run", task.base_url),
        mode: task.mode,
        rows,
        path: JsonPath::parse(CHECKED.0).map_err(|error| Failure::unreadable(CHECKED.0, error))?,
        next: AtomicUsize::new(0),
        failed: AtomicU64::new(0),
    })
}

/// Lets `concurrency` tasks take rows until there are none; the latencies in milliseconds, in no order.
async fn send_all(shared: Arc<Shared>, concurrency: u32) -> Vec<f64> {
    let tasks: Vec<_> = (0..concurrency).map(|_| tokio::spawn(take_rows(Arc::clone(&shared)))).collect();
    let mut latencies = Vec::with_capacity(shared.rows.len());
    for task in tasks {
        latencies.extend(task.await.expect("a task neither panics nor is cancelled"));
    }
    latencies
}

/// Sends one row after the other until there are none.
async fn take_rows(shared: Arc<Shared>) -> Vec<f64> {
    let mut latencies = Vec::new();
    while let Some(row) = shared.rows.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
        let (passed, latency) = match send(&shared, row).await {
            Ok(sent) => sent,
            Err(error) => {
                eprintln!("{error}");
                (false, Duration::ZERO)
            }
        };
        if !passed {
            shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        latencies.push(latency.as_secs_f64() * 1000.0);
    }
    latencies
}

/// Sends one case: whether its four checks hold, and how long it took up to the terminal event.
async fn send(shared: &Shared, row: &Value) -> Result<(bool, Duration), reqwest::Error> {
    let body = json!({
        "inputs": { "n": row["n"], "query": row["query"] },
        "user": format!("loop-{}", row["n"]),
        "response_mode": shared.mode.word(),
    });
    let sent = Instant::now();
    let request = shared.client.post(&shared.url).bearer_auth(KEY).header("Accept-Encoding", "identity");
    let response = request.json(&body).send().await?;
    let status = response.status().as_u16();
    let (run, latency) = match shared.mode {
        Mode::Streaming => read_stream(response, sent).await?,
        Mode::Blocking => {
            let mut answer: Value = response.json().await?;
            (answer["data"].take(), sent.elapsed())
        }
    };
    Ok((status == 200 && holds(&run, &shared.path), latency))
}

/// Reads a stream to its end; `data` of `workflow_finished` (else null), and when that came.
async fn read_stream(
    mut response: reqwest::Response,
    sent: Instant,
) -> Result<(Value, Duration), reqwest::Error> {
    let mut pending: Vec<u8> = Vec::new();
    let mut finished = (Value::Null, Duration::ZERO);
    while let Some(chunk) = response.chunk().await? {
        pending.extend_from_slice(&chunk);
        let mut from = 0;
        while let Some(length) = memchr::memchr(b'\n', &pending[from..]) {
            let line = &pending[from..from + length];
            from += length + 1;
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let Ok(mut event) = serde_json::from_slice::<Value>(data) else { continue };
            if event["event"] == "workflow_finished" {
                finished = (event["data"].take(), sent.elapsed());
            }
        }
        pending.drain(..from);
    }
    Ok(finished)
}

/// Run status, one JSONPath value and the token bound; the HTTP status is checked by the caller.
fn holds(run: &Value, path: &JsonPath) -> bool {
    let value = path.query(&run["outputs"]).exactly_one();
    run["status"] == "succeeded"
        && value.is_ok_and(|value| value == CHECKED.1)
        && run["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0 && tokens <= TOKEN_BOUND)
}
