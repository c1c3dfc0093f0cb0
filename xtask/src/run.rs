//! Running other programs, with errors that name the command and show what it said.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The workspace's root folder, as this crate was built in it.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(PathBuf::from).unwrap_or(own)
}

/// The `guideway` that cargo has built: `debug` or `release`.
#[must_use]
pub fn built(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace_root().join(target).join(profile).join("guideway")
}

/// The `cargo` that runs this task, with the workspace's root as its folder.
#[must_use]
pub fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_root()).args(args);
    command
}

/// A command as one would type it.
#[must_use]
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs `command` with our own output and input.
///
/// # Errors
/// It can't be started, or ends with a failure.
pub fn run(command: &mut Command) -> Result<()> {
    let text = shown(command);
    let status = command.status().with_context(|| format!("can't start `{text}`"))?;
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}

/// Runs `command` with `input` on its standard input and returns its standard output.
///
/// # Errors
/// It can't be started, or ends with a failure; the error shows what it wrote.
pub fn capture(command: &mut Command, input: &str) -> Result<String> {
    let text = shown(command);
    let output = output(command, input).with_context(|| format!("can't start `{text}`"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{text}` failed ({}):\n{}{}", output.status, stdout, stderr.trim_end());
    }
    Ok(stdout)
}

fn output(command: &mut Command, input: &str) -> std::io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that ends without reading everything reports its own error by its status.
        let _unread = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}

/// The first of `names` that is an executable on PATH.
#[must_use]
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // iproute2 lives in sbin, which is not on an ordinary user's PATH.
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn captures_output_and_feeds_input() {
        assert_eq!(capture(&mut Command::new("cat"), "hello").unwrap(), "hello");
    }

    #[test]
    fn a_failure_shows_command_and_stderr() {
        let error = capture(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), "").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("sh -c") && text.contains("why"), "{text}");
    }

    #[test]
    fn finds_programs_in_order() {
        assert!(on_path(&["no-such-program", "sh"]).unwrap().ends_with("sh"));
        assert_eq!(on_path(&["no-such-program"]), None);
    }
}
