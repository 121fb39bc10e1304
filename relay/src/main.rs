//! The binary: command line, logs, signals, exit code. Everything else is in the library.
//! It has no rules, and prints nothing but where it listens and why it can't.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use relay::config::Config;
use relay::server::Server;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LOCKSTEP_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    match run(&Config::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            drop(writeln!(std::io::stderr(), "lockstep-relay: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: &Config) -> Result<(), String> {
    // Before the first line is out, so that whoever waits for it may signal at once.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let server = Server::start(config).await?;
    if config.dev {
        tracing::warn!("--dev: ANYBODY who reaches this port may register ANY free handle");
    }
    // Tests and scripts wait for this line. A closed stdout is no reason to stop.
    drop(writeln!(
        std::io::stdout(),
        "listening on http://{}",
        server.address()
    ));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}
