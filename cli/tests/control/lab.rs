//! A controller in a process of its own.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const GUIDEWAY: &str = env!("CARGO_BIN_EXE_guideway");

pub(crate) struct Controller {
    process: Child,
    pub(crate) grpc: String,
    pub(crate) http: String,
}

impl Controller {
    /// Over this registry, on ports that the system chooses.
    pub(crate) fn start(registry: &Path, more: &[&str]) -> Self {
        let mut process = Command::new(GUIDEWAY)
            .args(["controller", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--registry"])
            .arg(registry)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split([' ', ',', ';']).collect();
        assert_eq!(words.first(), Some(&"ready:"), "{line}");
        let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 2].to_owned();
        Self { grpc: after("gRPC"), http: after("HTTP"), process }
    }

    pub(crate) fn ctl(&self, args: &[&str]) -> Output {
        Command::new(GUIDEWAY).args(["ctl", "--controller", &self.grpc]).args(args).output().unwrap()
    }

    /// What a command says that is done.
    pub(crate) fn text(&self, args: &[&str]) -> String {
        let done = self.ctl(args);
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        assert!(done.status.success(), "{args:?}: {out}{err}");
        out
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[args, &["--json"]].concat())).unwrap()
    }

    /// An HTTP request: status and body.
    pub(crate) fn page(&self, method: &str, path: &str, header: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// SIGKILL: no last words.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
