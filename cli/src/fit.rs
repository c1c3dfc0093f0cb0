//! `guideway fit`.

use crate::Done;
use crate::source::SourceArgs;
use serde_json::json;
use std::process::ExitCode;

/// Tells how a pipeline fits a target: what was chosen, what it costs, what does not fit and why.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway fit --target tofino\n  guideway fit my_pipeline.rs --target xdp\n\nExit code 1: it does not fit."
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The target; `guideway targets` lists them.
    #[arg(long)]
    target: String,
    /// Prints one JSON object: {"pipeline", "target", "fits", "report"}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let target = hw_targets::target(&args.target)?;
    let verified = args.source.read()?.verified()?;
    let report = codegen::fit::verdict(&verified, &target);
    let fits = codegen::fit(&verified, &target).is_ok();
    if args.json {
        let name = &verified.pipeline().name;
        println!("{}", json!({"pipeline": name, "target": target.name, "fits": fits, "report": report}));
    } else {
        print!("{report}");
    }
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
