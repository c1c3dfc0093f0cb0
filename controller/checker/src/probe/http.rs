//! The HTTP probe: HTTP/1.1, one request a connection.

use super::body::Search;
use super::{Found, Means};
use crate::target::Http;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::{Request, Response, body::Incoming, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// The longest head of an answer in bytes.
const HEAD: usize = 64 * 1024;

/// Asks, and judges the answer.
pub(super) async fn ask(
    http: &Http,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    means: &Means,
) -> Result<(), Found> {
    match &http.tls {
        None => exchange(http, stream).await,
        Some(name) => {
            let stream = means.tls.connect(name.clone(), stream).await;
            exchange(http, stream.map_err(|e| Found::Fail(format!("TLS: {e}").into()))?).await
        }
    }
}

async fn exchange(http: &Http, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Found> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
    let request = request(http)?;
    let work = async {
        let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
        judge(http, answer).await
    };
    tokio::pin!(work, connection);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            // The rest of the answer is in `work`'s hands then.
            _ = &mut connection, if open => open = false,
        }
    }
}

fn request(http: &Http) -> Result<Request<Empty<Bytes>>, Found> {
    Request::get(http.path.as_str())
        .header(header::HOST, &http.host)
        .header(header::USER_AGENT, "guideway-checker")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|e| Found::Trouble(e.to_string().into()))
}

async fn judge(http: &Http, answer: Response<Incoming>) -> Result<(), Found> {
    let status = u32::from(answer.status().as_u16());
    let good =
        if http.expected.is_empty() { (200..300).contains(&status) } else { http.expected.contains(&status) };
    if !good {
        return Err(Found::Fail(format!("status {status}").into()));
    }
    if http.contains.is_empty() {
        return Ok(());
    }
    let (mut body, mut search) = (answer.into_body(), Search::default());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| broken(&e))?;
        match frame.data_ref().and_then(|data| search.hear(data, &http.contains)) {
            Some(true) => return Ok(()),
            Some(false) => break,
            None => {}
        }
    }
    Err(Found::Fail("the body has not what it should have".into()))
}

/// What hyper says, with its cause.
fn broken(error: &hyper::Error) -> Found {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Found::Fail(format!("HTTP: {error}{cause}").into())
}
