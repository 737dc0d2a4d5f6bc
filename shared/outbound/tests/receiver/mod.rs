//! A receiver that answers as it is told.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the receiver does with every request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    /// These bytes, then the connection is closed.
    Raw(&'static str),
    /// These bytes before anything is asked.
    First(&'static str),
    /// A whole answer; the connection stays open.
    Whole(&'static str),
    /// Nothing.
    Hang,
    /// A body without end.
    Endless,
    /// A byte of the body now and then.
    Drip,
    /// A header now and then.
    DripHeaders,
    /// `103 Early Hints` without end.
    Informational,
    /// The connection is torn.
    Reset,
}

impl Script {
    pub(crate) fn ok(content_type: &str, body: &[u8]) -> Self {
        let body = std::str::from_utf8(body).unwrap();
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
        Self::Whole(Box::leak((head + body).into_boxed_str()))
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        Self::Whole(Box::leak(answer.into_boxed_str()))
    }
}

#[derive(Debug)]
pub(crate) struct Receiver {
    address: String,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "the receiver is another process, in truth")]
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let all = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                all.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, script, Arc::clone(&all)));
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// Stops listening.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Seen>>) {
    if let Script::First(bytes) = script {
        let _ = stream.write_all(bytes.as_bytes()).await;
    }
    while let Ok(Some(request)) = read_request(&mut stream).await {
        seen.lock().unwrap().requests.push(request);
        if let Script::Whole(answer) = script {
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            continue;
        }
        let _ = answer(&mut stream, script).await;
        if matches!(script, Script::Reset) {
            let _ = stream.set_zero_linger();
        }
        return;
    }
}

/// A request with the body that its content-length announces.
async fn read_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                return Ok(Some(text.into_owned()));
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer(stream: &mut TcpStream, script: Script) -> io::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    match script {
        Script::Raw(bytes) => stream.write_all(bytes.as_bytes()).await,
        Script::First(_) | Script::Whole(_) | Script::Reset => Ok(()),
        Script::Hang => std::future::pending().await,
        Script::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 65_536]).await?;
            }
        }
        Script::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
            loop {
                tick.tick().await;
                stream.write_all(b"x").await?;
            }
        }
        Script::DripHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                tick.tick().await;
                stream.write_all(b"x-a: b\r\n").await?;
            }
        }
        Script::Informational => loop {
            tick.tick().await;
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await?;
        },
    }
}
