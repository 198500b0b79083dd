//! What a proxy says to `CONNECT`. The library that opens tunnels tells only that none was opened,
//! and whether a proxy forbids one or has no room for one now are two things: it is asked once
//! more, for its status alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest status line that is read: its three words are short, and what follows does not
/// matter.
const LONGEST_LINE: u64 = 1024;

/// A proxy that is asked by plain http, and the way to open through it.
#[derive(Debug)]
pub(super) struct Tunnel {
    /// The proxy's host and port.
    pub(super) proxy: (String, u16),
    /// User name and password, where it takes them.
    pub(super) login: Option<(String, String)>,
    /// The host and port that the tunnel would lead to.
    pub(super) target: String,
}

impl Tunnel {
    /// The status with which the proxy answers. `None` where it answers nothing, or not in the
    /// words of HTTP.
    pub(super) async fn status(&self, limit: Duration) -> Option<u16> {
        let line = timeout(limit, self.status_line()).await.ok()?.ok()?;
        let (version, rest) = line.split_once(' ')?;
        version.starts_with("HTTP/1.").then_some(())?;
        let status = rest.get(..3)?.parse().ok()?;
        (100..600).contains(&status).then_some(status)
    }

    async fn status_line(&self) -> io::Result<String> {
        let (host, port) = &self.proxy;
        let mut stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.write_all(self.request().as_bytes()).await?;
        let mut line = Vec::new();
        BufReader::new(stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn request(&self) -> String {
        let target = &self.target;
        let authorization = self.login.as_ref().map_or_else(String::new, |(user, password)| {
            let login = STANDARD.encode(format!("{user}:{password}"));
            format!("Proxy-Authorization: Basic {login}\r\n")
        });
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n")
    }
}

/// Whether a refusal of this status may pass by itself: the proxy has too much to do, or cannot
/// reach the service now. What it does not support (501, 505) stays.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=504 | 506..600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use tokio::net::TcpListener;

    /// What comes of an answer, and what the proxy was asked.
    async fn asked(answer: &'static [u8]) -> (Option<u16>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            socket.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let tunnel = Tunnel {
            proxy: ("127.0.0.1".to_owned(), port),
            login: Some(("user".to_owned(), "word".to_owned())),
            target: "service.example:443".to_owned(),
        };
        (tunnel.status(Duration::from_secs(20)).await, served.await.unwrap())
    }

    #[tokio::test]
    async fn the_status_of_a_proxy_is_read_and_nothing_else() {
        let (status, request) = asked(b"HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n").await;
        assert_eq!(status, Some(503));
        assert_eq!(
            request,
            "CONNECT service.example:443 HTTP/1.1\r\nHost: service.example:443\r\n\
             Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n\r\n"
        );
        assert_eq!(asked(b"HTTP/1.0 200\r\n\r\n").await.0, Some(200));
        for other in [&b""[..], b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 9\r\n"] {
            assert_eq!(asked(other).await.0, None, "{}", String::from_utf8_lossy(other));
        }
        assert_eq!(asked("HTTP/1.1 5é0\r\n".as_bytes()).await.0, None);
        assert_eq!(asked(&[b'x'; 2048]).await.0, None);
    }

    #[test]
    fn trouble_passes_and_a_ban_does_not() {
        assert!([408, 429, 500, 502, 503, 504].into_iter().all(may_pass));
        assert!(![200, 302, 400, 403, 404, 405, 407, 451, 501, 505].into_iter().any(may_pass));
    }
}
