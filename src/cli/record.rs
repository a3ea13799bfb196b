//! `flowproof record`, and the flags of cassettes that it shares with `run`.

use clap::{Args, ValueEnum};

use crate::app::cassettes::Use;
use crate::cli::run::RunArgs;
use crate::dify::cassette::{Mode, Speed};

/// The flags of cassettes.
#[derive(Debug, Clone, Copy, Args)]
pub struct CassetteArgs {
    /// Record exchanges, or replay those recorded.
    #[arg(long, value_name = "MODE")]
    pub record: Option<RecordMode>,
    /// Replay recorded exchanges and send nothing; `--replay=realtime` lets each event wait for its time.
    #[arg(long, value_name = "SPEED", num_args = 0..=1, require_equals = true, default_missing_value = "at-once")]
    pub replay: Option<ReplaySpeed>,
}

impl CassetteArgs {
    /// What the flags say of cassettes.
    pub fn of_run(&self) -> Result<Use, String> {
        let mode = match (self.record, self.replay) {
            (Some(RecordMode::All), Some(_)) => {
                return Err("--record all sends everything, --replay nothing: name one of them".to_owned());
            }
            (Some(RecordMode::All), None) => Some(Mode::All),
            (Some(RecordMode::Once), _) => Some(Mode::Once),
            (Some(RecordMode::NewEpisodes), _) => Some(Mode::NewEpisodes),
            (Some(RecordMode::None), _) | (None, Some(_)) => Some(Mode::None),
            (None, None) => None,
        };
        let speed = match self.replay {
            Some(ReplaySpeed::Realtime) => Speed::RealTime,
            Some(ReplaySpeed::AtOnce) | None => Speed::AtOnce,
        };
        Ok(Use { mode, speed })
    }
}

/// `flowproof record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// What is sent and recorded.
    #[arg(value_name = "MODE", conflicts_with = "record")]
    pub mode: RecordMode,
    /// Which tests run, and where.
    #[command(flatten)]
    pub run: RunArgs,
}

impl RecordArgs {
    /// The same as a run.
    pub fn into_run(self) -> RunArgs {
        let cassettes = CassetteArgs { record: Some(self.mode), ..self.run.cassettes };
        RunArgs { cassettes, ..self.run }
    }
}

/// What is sent and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordMode {
    /// Send nothing: what is not recorded fails.
    None,
    /// Record where there is no cassette yet; else as `none`.
    Once,
    /// Replay what is recorded, send and record the rest.
    #[value(name = "new_episodes", alias = "new-episodes")]
    NewEpisodes,
    /// Send everything and record it anew.
    All,
}

/// How fast recorded answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplaySpeed {
    /// At once, judged by the recorded times.
    AtOnce,
    /// Each event at its recorded time.
    #[value(alias = "real-time")]
    Realtime,
}
