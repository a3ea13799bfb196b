//! Runs `suites/` on the built-in mock, one libtest trial a test: dogfood, and the model that users copy.

fn main() -> std::process::ExitCode {
    flowproof::harness::main()
}
