//! The endpoint as a child of the benchmark, and what it says of itself.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::answers::Sending;
use crate::contest::Setting;
use crate::endpoint::{ASK_COUNTS, ASK_TIMES, Counts};
use crate::failure::Failure;
use crate::measure::Guarded;
use crate::times::Times;

/// The endpoint as a child; ended when it goes out of scope.
#[derive(Debug)]
pub struct Served {
    _child: Guarded,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl Served {
    /// Starts an endpoint and waits until it names its port.
    pub fn start(setting: &Setting, delay: Duration, sending: Sending) -> Result<Self, Failure> {
        let mut command = Command::new(&setting.myself);
        command.arg("endpoint").arg("--delay-ms").arg(delay.as_millis().to_string());
        command.arg("--sending").arg(sending.word());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Guarded(command.spawn().map_err(Failure::io("start the endpoint"))?);
        let questions = child.0.stdin.take().expect("stdin was piped above");
        let answers = BufReader::new(child.0.stdout.take().expect("stdout was piped above"));
        let mut served = Self { _child: child, questions, answers, port: 0 };
        let line = served.line()?;
        served.port =
            line.trim().parse().map_err(|error| Failure::unreadable("the endpoint's port", error))?;
        Ok(served)
    }

    /// Its address, as Dify's are given.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// What it was asked so far.
    pub fn counts(&mut self) -> Result<Counts, Failure> {
        self.ask(ASK_COUNTS)
    }

    /// How long it took over each run by its own clock, since this was last asked.
    pub fn times(&mut self) -> Result<Vec<Times>, Failure> {
        self.ask(ASK_TIMES)
    }

    fn ask<T: serde::de::DeserializeOwned>(&mut self, question: &str) -> Result<T, Failure> {
        writeln!(self.questions, "{question}")
            .and_then(|()| self.questions.flush())
            .map_err(Failure::io("ask the endpoint"))?;
        let line = self.line()?;
        serde_json::from_str(&line)
            .map_err(|error| Failure::unreadable(format!("the endpoint's {question}"), error))
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(Failure::io("read from the endpoint"))?;
        Ok(line)
    }
}
