//! Servers of a test's own, for what the stand-in cloud does not say.

use std::io::{BufRead, BufReader, Read, Result};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A port of this machine on which somebody listens until the test ends.
pub(crate) struct Listener {
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Listener {
    /// Gives each connection, with its number from 0 on, to `serve` on a thread of its own: a client
    /// may open one ahead and never use it, which keeps nobody else waiting. An error of `serve`
    /// ends its connection alone: whoever hangs up has heard enough.
    pub(crate) fn new(
        serve: impl Fn(usize, TcpStream) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accepted, serve) = (Arc::new(AtomicUsize::new(0)), Arc::new(serve));
        let count = Arc::clone(&accepted);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (number, serve) = (count.fetch_add(1, Ordering::SeqCst), Arc::clone(&serve));
                thread::spawn(move || drop(serve(number, stream)));
            }
        });
        Self { port, accepted }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// What a client asks: the request line without the version of the protocol, the headers line by
/// line in lower case, and the body.
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

/// Reads the next request of a connection; none where the client has hung up.
pub(crate) fn next_request(reader: &mut BufReader<impl Read>) -> Result<Option<Asked>> {
    let (mut line, mut length) = (String::new(), 0);
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (mut head, mut headers) = (String::new(), Vec::new());
    while reader.read_line(&mut head)? > 2 {
        let header = head.trim_end().to_lowercase();
        if let Some(number) = header.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        headers.push(header);
        head.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Some(Asked { line, headers, body: String::from_utf8(body).unwrap() }))
}

/// Passes bytes on in both directions until both sides have closed.
pub(crate) fn join(client: TcpStream, server: TcpStream) -> Result<()> {
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        })
    };
    pass(client.try_clone()?, server.try_clone()?);
    pass(server, client);
    Ok(())
}
