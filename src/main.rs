//! The `flowproof` command.

fn main() -> std::process::ExitCode {
    flowproof::command_line()
}
