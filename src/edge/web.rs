//! The window for watchers: `/healthz`, `/readyz`, `/metrics`, `/status.json` and one page for people, read-only, over HTTP/1.1.
//! Nothing can be changed through it, and it knows nothing but a [`Status`].

use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::tz::TimeZone;
use tokio::{net::TcpListener, sync::Mutex, time::Instant};

use crate::domain::status::Status;

pub mod ask;
mod metrics;
mod page;

/// Asks for the present state; the sentence says why there is none.
pub type Gather = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Status, String>> + Send>> + Send + Sync>;

/// An answer serves all requests of so long, so that no number of requests can load the database.
const FRESH: Duration = Duration::from_secs(2);
/// Longest time to find out; a database that is silent for longer is a fault itself.
const GATHER: Duration = Duration::from_secs(10);

/// One state at a time is gathered; who asks meanwhile waits for it.
#[derive(Clone)]
struct Window {
    gather: Gather,
    zone: TimeZone,
    latest: Arc<Mutex<Option<(Instant, Result<Arc<Status>, String>)>>>,
}

impl Window {
    async fn status(&self) -> Result<Arc<Status>, String> {
        let mut latest = self.latest.lock().await;
        if let Some((taken, status)) = latest.as_ref()
            && taken.elapsed() < FRESH
        {
            return status.clone();
        }
        let status = match tokio::time::timeout(GATHER, (self.gather)()).await {
            Ok(status) => status.map(Arc::new),
            Err(_) => Err(format!("the state could not be found out within {} s", GATHER.as_secs())),
        };
        *latest = Some((Instant::now(), status.clone()));
        status
    }
}

/// Serves until it is dropped.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(listen: SocketAddr, zone: TimeZone, gather: Gather) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    tracing::info!(%listen, "The status page is open.");
    axum::serve(listener, router(Window { gather, zone, latest: Arc::default() })).await
}

fn router(window: Window) -> Router {
    Router::new()
        .route("/", get(show_page))
        .route("/healthz", get(async || text(StatusCode::OK, "alive\n".to_owned())))
        .route("/readyz", get(readyz))
        .route("/metrics", get(show_metrics))
        .route("/status.json", get(show_json))
        .with_state(window)
}

async fn readyz(State(window): State<Window>) -> Response {
    match window.status().await {
        Ok(status) if status.ready => text(StatusCode::OK, "ready\n".to_owned()),
        Ok(status) => {
            let lines: String = status.reasons.iter().map(|reason| format!("{}: {}\n", reason.check, reason.said)).collect();
            text(StatusCode::SERVICE_UNAVAILABLE, lines)
        }
        Err(fault) => text(StatusCode::SERVICE_UNAVAILABLE, format!("store: {fault}\n")),
    }
}

async fn show_metrics(State(window): State<Window>) -> Response {
    let found = window.status().await.and_then(|status| metrics::metrics(&status).map_err(|error| error.to_string()));
    match found {
        Ok(metrics) => answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics),
        Err(fault) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")),
    }
}

async fn show_json(State(window): State<Window>) -> Response {
    let found = window.status().await.and_then(|status| serde_json::to_string(&*status).map_err(|error| error.to_string()));
    match found {
        Ok(json) => answer(StatusCode::OK, "application/json", json),
        Err(fault) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")),
    }
}

async fn show_page(State(window): State<Window>) -> Response {
    let status = window.status().await;
    let code = if status.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match page::page(status.as_deref().map_err(String::as_str), &window.zone) {
        Ok(html) => answer(code, "text/html; charset=utf-8", html),
        Err(fault) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")),
    }
}

fn text(code: StatusCode, text: String) -> Response {
    answer(code, "text/plain; charset=utf-8", text)
}

/// Nothing is kept, framed, sniffed or loaded from elsewhere.
fn answer(code: StatusCode, media_type: &'static str, body: String) -> Response {
    let fixed = |text: &'static str| HeaderValue::from_static(text);
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, fixed(media_type)),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (
            header::CONTENT_SECURITY_POLICY,
            fixed("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ),
    ];
    (code, headers, body).into_response()
}
