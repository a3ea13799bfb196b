//! The yardstick: a bare tokio and reqwest loop that sends the same requests and makes the same four checks.
//!
//! It reads each event as JSON, and it keeps its rows and a latency for each. It has no retries, no timeouts,
//! no reports and no names: what flowproof does beyond that is what the ratios show. For streams of many chunks
//! it only counts events, and checks nothing but their number and the HTTP status.

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
use crate::reading::{FirstToken, Reading, count_events, read_stream};
use crate::table::percentile;
use crate::times::Times;

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
    /// What is done with a stream.
    #[arg(long, value_enum)]
    reading: Reading,
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
    /// Events of all streams, where they are counted.
    pub events: u64,
    /// The times of each case, where they are asked for.
    pub times: Vec<Times>,
}

/// One case that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    passed: bool,
    latency: Duration,
    first_token: Option<Duration>,
}

/// What is kept of the cases.
#[derive(Debug, Default)]
struct Kept {
    /// Milliseconds.
    latencies: Vec<f64>,
    /// Where they are asked for.
    times: Vec<Times>,
}

/// What the tasks of the loop share.
struct Shared {
    client: reqwest::Client,
    url: String,
    mode: Mode,
    reading: Reading,
    rows: Vec<Value>,
    path: JsonPath,
    next: AtomicUsize,
    failed: AtomicU64,
    events: AtomicU64,
}

/// Sends all cases, prints one line of JSON and tells whether all passed.
pub fn run(task: Task) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("start a runtime"))?;
    let shared = Arc::new(prepare(&task)?);
    let started = Instant::now();
    let Kept { mut latencies, times } = runtime.block_on(send_all(Arc::clone(&shared), task.concurrency));
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
        events: shared.events.load(Ordering::SeqCst),
        times,
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
        reading: task.reading,
        rows,
        path: JsonPath::parse(CHECKED.0).map_err(|error| Failure::unreadable(CHECKED.0, error))?,
        next: AtomicUsize::new(0),
        failed: AtomicU64::new(0),
        events: AtomicU64::new(0),
    })
}

/// Lets `concurrency` tasks take rows until there are none; what they kept, in no order.
async fn send_all(shared: Arc<Shared>, concurrency: u32) -> Kept {
    let tasks: Vec<_> = (0..concurrency).map(|_| tokio::spawn(take_rows(Arc::clone(&shared)))).collect();
    let mut all = Kept { latencies: Vec::with_capacity(shared.rows.len()), times: Vec::new() };
    for task in tasks {
        let kept = task.await.expect("a task neither panics nor is cancelled");
        all.latencies.extend(kept.latencies);
        all.times.extend(kept.times);
    }
    all
}

/// Sends one row after the other until there are none.
async fn take_rows(shared: Arc<Shared>) -> Kept {
    let mut kept = Kept::default();
    while let Some(row) = shared.rows.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
        let sent = send(&shared, row).await.unwrap_or_else(|error| {
            eprintln!("{error}");
            Sent { passed: false, latency: Duration::ZERO, first_token: None }
        });
        if !sent.passed {
            shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        let latency = milliseconds(sent.latency);
        kept.latencies.push(latency);
        if shared.reading == Reading::Timed {
            let n = row["n"].as_u64().unwrap_or(0);
            let first_token_ms = sent.first_token.map(milliseconds);
            kept.times.push(Times { n, first_token_ms, ended_ms: Some(latency) });
        }
    }
    kept
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Sends one case: whether its checks hold, and how long it took up to the terminal event.
async fn send(shared: &Shared, row: &Value) -> Result<Sent, reqwest::Error> {
    let body = json!({
        "inputs": { "n": row["n"], "query": row["query"] },
        "user": format!("loop-{}", row["n"]),
        "response_mode": shared.mode.word(),
    });
    let sent = Instant::now();
    let request = shared.client.post(&shared.url).bearer_auth(KEY).header("Accept-Encoding", "identity");
    let response = request.json(&body).send().await?;
    match shared.mode {
        Mode::Streaming => follow(shared, response, sent).await,
        Mode::Blocking => {
            let is_ok = response.status().as_u16() == 200;
            let answer: Value = response.json().await?;
            let latency = sent.elapsed();
            let passed = is_ok && holds(&answer["data"], &shared.path);
            Ok(Sent { passed, latency, first_token: None })
        }
    }
}

/// Reads a stream as it is asked for.
async fn follow(shared: &Shared, response: reqwest::Response, sent: Instant) -> Result<Sent, reqwest::Error> {
    let is_ok = response.status().as_u16() == 200;
    let mut first_token = FirstToken::default();
    let read = match shared.reading {
        Reading::Checked => read_stream(response, sent, None).await?,
        Reading::Timed => read_stream(response, sent, Some(&mut first_token)).await?,
        Reading::Counted => {
            let count = count_events(response, sent).await?;
            let (passed, latency) = (is_ok && count.is_whole(), count.finished.unwrap_or_default());
            shared.events.fetch_add(count.events as u64, Ordering::Relaxed);
            return Ok(Sent { passed, latency, first_token: None });
        }
    };
    let passed = is_ok && holds(&read.run, &shared.path);
    Ok(Sent { passed, latency: read.latency, first_token: first_token.at })
}

/// Run status, one JSONPath value and the token bound; the HTTP status is checked by the caller.
fn holds(run: &Value, path: &JsonPath) -> bool {
    let value = path.query(&run["outputs"]).exactly_one();
    run["status"] == "succeeded"
        && value.is_ok_and(|value| value == CHECKED.1)
        && run["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0 && tokens <= TOKEN_BOUND)
}
