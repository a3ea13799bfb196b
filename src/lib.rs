//! flowproof: regression tests for LLM workflows on Dify.
#![allow(dead_code)]

mod base;
mod wire;
mod suite;
mod exchange;
mod verdict;
mod outcome;
mod check;
mod client;
mod mock;
mod plan;
mod event;
mod engine;
mod journal;
mod settings;
mod report;
pub mod harness;
mod cli;
