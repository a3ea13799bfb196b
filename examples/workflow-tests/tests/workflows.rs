//! Every test of every suite in `suites/` is a test of this crate.

fn main() -> std::process::ExitCode {
    flowproof::harness::main()
}
