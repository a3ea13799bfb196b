//! The mock's HTTP server: it listens on loopback; `route` decides what each request means.

mod body;
mod call;
mod endpoints;
mod faulty_answer;
mod files;
mod follow;
mod forms;
mod ongoing_run;
mod player;
mod query;
mod refusal;
mod reject;
mod replay;
mod request;
mod respond;
mod route;
mod run;
mod state;
mod stored_forms;
mod stored_run;
mod stored_uploads;
mod timeline;
mod upload;

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::state::{MockContent, MockState};
use crate::base::template::Templates;
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::fault::BrokenConnection;
pub use crate::dify::mock::options::MockOptions;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// A running mock, which its owner shuts down.
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Binds loopback and serves; needs a Tokio runtime around it.
    pub fn start(
        book: ScriptBook,
        options: MockOptions,
        templates: Arc<Templates>,
        run_id: &str,
    ) -> io::Result<Self> {
        let listener = listen(options.port)?;
        let address = listener.local_addr()?;
        let content = MockContent { book, templates, run_id: run_id.to_owned() };
        let state = Arc::new(MockState::new(content, options, address));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, state, stopped));
        Ok(Self { address, stop, task: Some(task) })
    }

    /// The address for clients: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Drops all connections and waits until every task is gone.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // A panic in the task was reported where it happened; there is nothing left to stop.
            let _ = task.await;
        }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: TcpListener, state: Arc<MockState>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, state.clone()));
                }
                // Out of file descriptors, or the peer has left already: the next connection may succeed.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stopped.changed() => break,
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, state: Arc<MockState>) {
    // Without it, small events wait for the peer's acknowledgements; a socket that refuses the option still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = state.clone();
        Box::pin(async move {
            let response = route::answer(&state, request).await;
            match response.extensions().get::<BrokenConnection>() {
                None => Ok(response),
                Some(broken) => Err(*broken),
            }
        })
    });
    // Flattened writes: all events of an answer without waits are written in one call.
    let mut connection = http1::Builder::new()
        .title_case_headers(true)
        .writev(false)
        .serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    // A peer that hangs up or speaks no HTTP is not an error of the mock.
    if ended.is_err_and(|error| is_reset(&error)) {
        let stream = connection.into_parts().io.into_inner();
        // Without lingering, closing sends a reset in place of a regular end.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let broken =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<BrokenConnection>());
    matches!(broken, Some(BrokenConnection::Reset))
}
