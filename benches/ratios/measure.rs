//! Starts children, ends them without fail, and reads from `/proc` what they used.
//!
//! CPU is the growth of this process's `cutime` and `cstime` when a child is reaped: exact in the kernel, shown in
//! ticks of 10 ms, so short children are run several times and divided. Memory is the child's `VmHWM`, polled.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Ticks per second of `/proc/<pid>/stat`: 100 on every Linux, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Between two looks at a child; the wall time is known to within this.
const LOOK: Duration = Duration::from_millis(1);

/// Looks at a child for each look at its memory.
const LOOKS_PER_MEMORY: u32 = 5;

/// How much of a child's output a failure shows, in bytes.
const TAIL: u64 = 2000;

/// What a process used, start to end.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Start to end.
    pub wall: Duration,
    /// User and system time, with threads and reaped children.
    pub cpu: Duration,
    /// The most memory it held, KiB; 0 if it ended before it was seen.
    pub peak_rss_kib: u64,
}

/// A child that is ended and reaped when it goes out of scope, also in a panic.
#[derive(Debug)]
pub struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // Neither fails but for a child that has been reaped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a child to its end, its output in `output`, and measures it.
pub fn run(command: &mut Command, output: &Path, deadline: Duration) -> Result<(ExitStatus, Usage), Failure> {
    let what = command.get_program().to_string_lossy().into_owned();
    let file = File::create(output).map_err(Failure::io(format!("create {}", output.display())))?;
    let errors = file.try_clone().map_err(Failure::io("share the output file"))?;
    command.stdin(Stdio::null()).stdout(file).stderr(errors);
    let cpu_before = cpu("/proc/self/stat", Whose::Children)?;
    let started = Instant::now();
    let mut child = Guarded(command.spawn().map_err(Failure::io(format!("start {what}")))?);
    let status_file = format!("/proc/{}/status", child.0.id());
    let mut peak_rss_kib = 0;
    for look in 0_u32.. {
        if let Some(status) = child.0.try_wait().map_err(Failure::io(format!("wait for {what}")))? {
            let wall = started.elapsed();
            let cpu = cpu("/proc/self/stat", Whose::Children)?.saturating_sub(cpu_before);
            return Ok((status, Usage { wall, cpu, peak_rss_kib }));
        }
        if started.elapsed() > deadline {
            break;
        }
        if look % LOOKS_PER_MEMORY == 0 {
            peak_rss_kib = peak_rss_kib.max(peak_rss(&status_file).unwrap_or(0));
        }
        std::thread::sleep(LOOK);
    }
    Err(Failure::Child { what: format!("{what} did not end within {deadline:?}"), output: tail(output) })
}

/// The last lines that a child wrote.
pub fn tail(output: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(output)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_else(|error| format!("({} cannot be read: {error})", output.display()))
}

/// User and system time of this process.
pub fn own_cpu() -> Result<Duration, Failure> {
    cpu("/proc/self/stat", Whose::Own)
}

/// The most memory that this process held, KiB.
pub fn own_peak_rss_kib() -> Result<u64, Failure> {
    peak_rss("/proc/self/status").ok_or_else(|| Failure::unreadable("/proc/self/status", "no VmHWM"))
}

/// Whose time is asked for.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// The process's: fields 14 and 15.
    Own,
    /// Its reaped children's: fields 16 and 17.
    Children,
}

/// User and system time out of a `stat` file (proc_pid_stat(5)).
fn cpu(file: &str, whose: Whose) -> Result<Duration, Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::io(format!("read {file}")))?;
    // The name, field 2, may hold blanks and brackets; field 3 follows its last bracket.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let first = match whose {
        Whose::Own => 14 - 3,
        Whose::Children => 16 - 3,
    };
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(first).take(2).filter_map(|field| field.parse().ok()).collect();
    if ticks.len() != 2 {
        return Err(Failure::unreadable(file, "no times in it"));
    }
    Ok(Duration::from_secs_f64(ticks.iter().sum::<u64>() as f64 / TICKS_PER_SECOND))
}

/// `VmHWM` of a `status` file, KiB; `None` once the process is gone.
fn peak_rss(file: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
