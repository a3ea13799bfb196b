//! The `flowproof` command.

/// Cases begin on one thread and end on another, for which the system's allocator makes threads wait.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    flowproof::command_line()
}
