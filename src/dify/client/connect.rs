//! Builds the HTTP client of an endpoint: certificates, proxy, pool.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Proxy, Url};

use crate::base::files::{self, Fence};
use crate::dify::client::{Certificates, Endpoint};

/// How long an unused connection is kept, where any is: only to the mock, which ends none.
const KEPT_IDLE: Duration = Duration::from_secs(20);

/// An endpoint cannot be used as it is described.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `base_url` is no address.
    #[error("base_url {url:?} is no http or https address: {reason}")]
    Address {
        /// As written.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A header cannot be sent; its value is not reported, for it may be secret.
    #[error("header {name:?} cannot be sent: {reason}")]
    Header {
        /// The header's name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file of `ca_file` cannot be read.
    #[error("ca_file {path}: {source}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file of `ca_file` holds no certificates.
    #[error("ca_file {path} holds no PEM certificate: {reason}")]
    CaContent {
        /// The file.
        path: PathBuf,
        /// The parser's words.
        reason: String,
    },
    /// `proxy` is no address of a proxy; it is not repeated, for it may hold a password.
    #[error("proxy is no address of a proxy: {0}")]
    Proxy(String),
    /// The machine has no certificates to check the endpoint's against.
    #[error(
        "no CA certificates are installed, so {url} cannot be checked: install the package ca-certificates, or set `ca_file`"
    )]
    NoCertificates {
        /// The endpoint.
        url: String,
    },
    /// The HTTP library refuses the settings.
    #[error("the HTTP client cannot be built: {0}")]
    Build(String),
}

/// Reads `base_url`; without a trailing slash.
pub fn parse_base(endpoint: &Endpoint) -> Result<Url, ClientError> {
    let wrong = |reason: String| ClientError::Address { url: endpoint.base_url.clone(), reason };
    let url =
        Url::parse(endpoint.base_url.trim_end_matches('/')).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("the scheme is {}", url.scheme())));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment".to_owned()));
    }
    Ok(url)
}

/// The headers of every request: the endpoint's own, and no compression asked for.
pub fn parse_headers(endpoint: &Endpoint) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in &endpoint.headers {
        let wrong = |reason| ClientError::Header { name: name.clone(), reason };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("the name has characters that no header may have"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| wrong("the value has characters that no header may have"))?;
        headers.insert(key, value);
    }
    Ok(headers)
}

/// Builds the HTTP client.
pub fn build(endpoint: &Endpoint, base: &Url, headers: &HeaderMap) -> Result<reqwest::Client, ClientError> {
    let extra = read_ca_file(endpoint)?;
    if base.scheme() == "http" && is_loopback(base) && extra.is_empty() {
        return finish(without_roots(builder(endpoint, base, headers)?));
    }
    match finish(with_roots(endpoint, builder(endpoint, base, headers)?, &extra)) {
        Ok(client) => Ok(client),
        Err(_) if base.scheme() == "http" => finish(without_roots(builder(endpoint, base, headers)?)),
        Err(_) if !extra.is_empty() => finish(builder(endpoint, base, headers)?.tls_certs_only(extra)),
        Err(error) if error.to_string().to_lowercase().contains("certificate") => {
            Err(ClientError::NoCertificates { url: base.to_string() })
        }
        Err(error) => Err(error),
    }
}

fn builder(endpoint: &Endpoint, base: &Url, headers: &HeaderMap) -> Result<ClientBuilder, ClientError> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("flowproof/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers.clone())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(endpoint.timeouts.connect)
        .pool_idle_timeout(KEPT_IDLE)
        .pool_max_idle_per_host(endpoint.kept_connections);
    match endpoint.proxy.as_deref() {
        Some("none") => Ok(builder.no_proxy()),
        Some(address) => {
            let proxy = Proxy::all(address).map_err(|error| ClientError::Proxy(innermost(&error)))?;
            Ok(builder.proxy(proxy))
        }
        None if is_loopback(base) => Ok(builder.no_proxy()),
        None => Ok(builder),
    }
}

fn with_roots(endpoint: &Endpoint, builder: ClientBuilder, extra: &[Certificate]) -> ClientBuilder {
    match endpoint.certificates {
        Certificates::Checked => builder.tls_certs_merge(extra.iter().cloned()),
        Certificates::Unchecked => without_roots(builder).tls_danger_accept_invalid_certs(true),
    }
}

/// An empty set of authorities: enough where nothing is encrypted, and quicker to build.
fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    builder.tls_certs_only([])
}

fn finish(builder: ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder.build().map_err(|error| ClientError::Build(innermost(&error)))
}

/// The largest file of certificates.
const LARGEST_BUNDLE: u64 = 16 << 20;

fn read_ca_file(endpoint: &Endpoint) -> Result<Vec<Certificate>, ClientError> {
    let Some(path) = &endpoint.ca_file else { return Ok(Vec::new()) };
    let pem = files::read(path, &Fence::anywhere(), LARGEST_BUNDLE)
        .map_err(|source| ClientError::CaFile { path: path.clone(), source })?;
    let wrong = |reason| ClientError::CaContent { path: path.clone(), reason };
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(innermost(&error)))?;
    if certificates.is_empty() {
        Err(wrong("no BEGIN CERTIFICATE in it".to_owned()))
    } else {
        Ok(certificates)
    }
}

/// True for addresses of this machine, which no proxy of the system is asked for.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || host == "localhost" || host.ends_with(".localhost")
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
