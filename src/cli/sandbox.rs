//! `sandbox DIR`: an S3 endpoint for other clients, until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ArgMatches;
use tokio::signal::unix::{SignalKind, signal};

use super::process;
use crate::report::{ExitCode, Stream};
use crate::sandbox::{Sandbox, SandboxConfig};

/// Serves until SIGINT or SIGTERM; both are the ordinary end.
pub(super) fn serve(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let config = match config(matches) {
        Ok(config) => config,
        Err(message) => {
            Stream::Stderr.print(&message);
            return Ok(ExitCode::Usage);
        }
    };
    let runtime = process::runtime().context("start the runtime")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
        let shown = config.clone();
        let sandbox = Sandbox::start(config).await?;
        Stream::Stdout.print(&format!(
            "endpoint           {}\naccess key         {}\nsecret access key  {}\nregion             {}\nCtrl-C ends it",
            sandbox.endpoint_url(),
            shown.access_key,
            shown.secret_key,
            shown.region
        ));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sandbox.shutdown().await;
        Ok(ExitCode::Success)
    })
}

fn config(matches: &ArgMatches) -> Result<SandboxConfig, String> {
    let said = |name| matches.get_one::<String>(name).cloned();
    let default = SandboxConfig::default();
    let listen = match said("listen") {
        None => default.listen,
        Some(text) => text.parse::<SocketAddr>().map_err(|_| {
            format!(
                "error: `{text}` is not an address to listen on\n --> flag --listen\n  = write an IP address and a port, such as 127.0.0.1:9000"
            )
        })?,
    };
    Ok(SandboxConfig {
        dir: said("dir").map(PathBuf::from).unwrap_or_default(),
        listen,
        access_key: said("access-key").unwrap_or(default.access_key),
        secret_key: said("secret-access-key").unwrap_or(default.secret_key),
        region: said("region").unwrap_or(default.region),
    })
}
