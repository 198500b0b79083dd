//! Connections: how many there are at once, and how long one may be of no use.
//!
//! Whoever connects has to ask, and to take what is answered. Otherwise a peer that sends half a
//! head, or reads half an answer, would hold a descriptor for ever, and the end of the server back.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// So many connections are open at once; others wait until the system accepts them. A browser opens
/// six, and the usual limit of descriptors of a process is 1,024.
const MOST: usize = 128;

/// So long may pass without a part of an answer going out, unless one is being made: a head comes
/// at once, and who keeps a connection for later connects again.
const LONGEST: Duration = Duration::from_secs(10);

/// Accepts connections.
#[derive(Debug)]
pub(super) struct Connections {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn of(listener: TcpListener) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Listener for Connections {
    type Io = Connection<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // Nobody closes the semaphore, so that there is a place sooner or later.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Connection::new(stream, place), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Told by whoever makes an answer: the connection waits for it, however long that takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// A head has come, and its answer is being made.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connected<IncomingStream<'_, Connections>> for Waiting {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().waiting.clone()
    }
}

/// A connection that fails when it was of no use for too long.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    waiting: Waiting,
    end: Pin<Box<Sleep>>,
    /// Held until it is closed.
    _place: Option<OwnedSemaphorePermit>,
}

impl<S> Connection<S> {
    fn new(stream: S, place: Option<OwnedSemaphorePermit>) -> Self {
        let end = Box::pin(sleep(LONGEST));
        Self { stream, waiting: Waiting::default(), end, _place: place }
    }

    /// Fails what is still pending when the time is over.
    fn unless_over<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_pending() && !self.waiting.is_on() {
            ready!(self.end.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }

    /// The same of a write, after which the time begins anew.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.waiting.end();
            self.end.set(sleep(LONGEST));
        }
        self.unless_over(context, result)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.unless_over(context, result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.unless_over(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.unless_over(context, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind::TimedOut;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, timeout};

    fn connected() -> (Connection<DuplexStream>, DuplexStream) {
        let (own, peer) = duplex(8);
        (Connection::new(own, None), peer)
    }

    /// How many seconds later it fails for want of use.
    async fn fails_after<T>(work: impl Future<Output = io::Result<T>>) -> u64 {
        let begin = Instant::now();
        assert_eq!(work.await.err().map(|error| error.kind()), Some(TimedOut));
        begin.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_head_too_slowly_is_not_waited_for() {
        let (mut own, mut peer) = connected();
        let dripping = tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(3)).await;
                if peer.write_all(b"G").await.is_err() {
                    break;
                }
            }
        });
        let mut head = Vec::new();
        assert_eq!(fails_after(own.read_to_end(&mut head)).await, LONGEST.as_secs());
        assert_eq!(head, b"GGG");
        drop(own);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_as_long_as_it_takes() {
        let (mut own, _peer) = connected();
        own.waiting.begin();
        let mut byte = [0];
        assert!(timeout(Duration::from_mins(5), own.read(&mut byte)).await.is_err());
        own.write_all(b"answer").await.unwrap();
        assert_eq!(fails_after(own.read(&mut byte)).await, LONGEST.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_not_waited_for() {
        let (mut own, mut peer) = connected();
        own.waiting.begin();
        let taking = tokio::spawn(async move {
            let mut some = [0; 8];
            sleep(Duration::from_secs(9)).await;
            peer.read_exact(&mut some).await.unwrap();
            peer
        });
        assert_eq!(fails_after(own.write_all(&[b'x'; 100])).await, 9 + LONGEST.as_secs());
        drop(taking.await.unwrap());
    }
}
