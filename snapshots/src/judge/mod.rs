//! What a machine need not have: programs of others that judge what is emitted, and what packets are run on.
//!
//! A test that misses something is skipped ([`needed`]). Which program judges a target's P4, and how it is asked, stands in the target's file.

pub mod barefoot;

use anyhow::{Context as _, Result, bail, ensure};
use hw_targets::Target;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No judge takes longer.
const PATIENCE: Duration = Duration::from_secs(900);

/// The program that judges a target's P4.
#[derive(Clone, Debug)]
pub struct Judge {
    program: String,
    args: Vec<String>,
}

/// What a judge has made of a program.
#[derive(Debug)]
pub struct Judged {
    /// How it ended.
    pub status: ExitStatus,
    /// All that it has said.
    pub said: String,
    dir: TempDir,
}

impl Judge {
    /// The judge that the target's file names.
    ///
    /// # Errors
    /// The file names none.
    pub fn of(target: &Target) -> Result<Self> {
        let judge = target.judge.as_deref().with_context(|| format!("{} has no judge", target.name))?;
        let mut words = judge.split_whitespace().map(str::to_owned);
        let program = words.next().with_context(|| format!("{} has an empty judge", target.name))?;
        Ok(Self { program, args: words.collect() })
    }

    /// Says that something is skipped where the judge is not on PATH; its name is the word that requires it.
    #[must_use]
    pub fn skip(&self, what: &str) -> bool {
        needed::skip(what, &self.program, needed::missing(&[&self.program]))
    }

    /// Asks about a program, `program.p4`. Paths in `more` are of the judge's own folder.
    ///
    /// # Errors
    /// The judge can't be run, comes to no end, or to a violent one.
    pub fn ask(&self, p4: &str, more: &[&str]) -> Result<Judged> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("program.p4"), p4)?;
        let program = needed::on_path(&self.program).context(self.program.clone())?;
        let mut command = Command::new(program);
        command.current_dir(dir.path()).args(&self.args).args(more).args(["-o", "out", "program.p4"]);
        let (status, said) = run(&mut command, dir.path(), PATIENCE).with_context(|| self.program.clone())?;
        ensure!(status.code().is_some(), "{} says nothing of the program, {status}:\n{said}", self.program);
        Ok(Judged { status, said, dir })
    }
}

impl Judged {
    /// What it has written as `-o`: a file or a folder.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.file("out")
    }

    /// A file of its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// Runs a command to its end. What it says goes to a file of `dir`: a pipe would be held open by whatever it has started.
fn run(command: &mut Command, dir: &Path, patience: Duration) -> Result<(ExitStatus, String)> {
    let path = dir.join("said");
    let said = std::fs::File::create(&path)?;
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let mut child = command.spawn()?;
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if since.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            bail!("no end after {} s", patience.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ok((status, String::from_utf8_lossy(&std::fs::read(&path)?).into_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A judge that is a shell's script; the arguments of [`Judge::ask`] are the script's.
    fn script(text: &str) -> Judge {
        Judge { program: "sh".into(), args: vec!["-c".into(), text.into(), "sh".into()] }
    }

    #[test]
    fn it_is_asked_in_its_own_folder_and_heard() {
        let judged =
            script("cat \"$4\"; echo \"$1\" >&2; cp \"$4\" \"$3\"; exit 3").ask("text\n", &["-g"]).unwrap();
        assert_eq!((judged.status.code(), judged.said.as_str()), (Some(3), "text\n-g\n"));
        assert_eq!(std::fs::read_to_string(judged.out()).unwrap(), "text\n");
    }

    #[test]
    fn who_is_killed_has_not_refused() {
        let error = script("echo half; kill -9 $$").ask("text", &[]).unwrap_err().to_string();
        assert!(error.contains("signal: 9") && error.contains("half"), "{error}");
    }

    #[test]
    fn what_comes_to_no_end_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        // The child of the child keeps what is said open.
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & wait"]);
        let error = run(&mut command, dir.path(), Duration::from_millis(50)).unwrap_err().to_string();
        assert!(error.starts_with("no end"), "{error}");
    }

    #[test]
    fn a_program_that_is_there_judges() {
        assert!(!script("").skip("nothing"));
    }

    /// Every target whose P4 we write has a judge that the tests know how to ask.
    #[test]
    fn judges_stand_in_the_targets_files() {
        for (target, judge) in [
            ("bmv2", "p4c-bm2-ss"),
            ("pna", "p4c-dpdk"),
            ("psa-bmv2", "p4c-bm2-psa"),
            ("tofino", "p4c-barefoot"),
            ("tofino2", "p4c-barefoot"),
        ] {
            let target = hw_targets::target(target).unwrap();
            let found = Judge::of(&target).unwrap();
            assert_eq!(found.program, judge);
            let arch = ["--arch".to_owned(), target.arch.clone()];
            assert!(found.args.windows(2).any(|two| two == arch), "{found:?}");
        }
        assert!(Judge::of(&hw_targets::target("native").unwrap()).is_err());
    }
}
