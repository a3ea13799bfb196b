//! The way to the server: TLS, proxies, bodies without measure.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::live::{Live, Ran, command, finish, report, run};
use crate::project::Project;
use crate::server::{
    Server, Step, chunk, document, event, good, ping, run_document, started, stream_head, suite_of, target,
    with_headers,
};

/// An authority of our own (PEM), and a server's settings with a certificate for 127.0.0.1 that it signed.
pub fn certified() -> (String, Arc<ServerConfig>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "dify.invalid".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (authority.pem(), Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let (authority, config) = certified();
    let server = Server::start_tls(config, good);
    let project = Project::with_suite(&blocking(30));
    project.write("certificates/ca.pem", authority);
    target(&project, &server.base_url(), "ca_file: certificates/ca.pem");
    let ran = run(&project, &["-j", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(server.runs().len(), 30);
    assert!(server.connections() >= 30, "each run has its own: {} connections", server.connections());
}

#[test]
fn an_unknown_authority_is_refused_once_with_the_way_out() {
    let (_, config) = certified();
    let (stranger, _) = certified();
    let server = Server::start_tls(config, good);
    let project = Project::with_suite(&suite_of(1));
    project.write("stranger.pem", stranger);
    for keys in ["", "ca_file: stranger.pem"] {
        target(&project, &server.base_url(), keys);
        let ran = run(&project, &[]);
        assert_eq!(ran.code, Some(3), "{}", ran.text);
        for word in ["certificate", "ca_file"] {
            assert!(ran.text.contains(word), "{word} is not in {}", ran.text);
        }
        assert!(server.requests().is_empty());
    }
    let report = report(&project);
    assert_eq!(
        report["cases"][0]["attempts"].as_array().unwrap().len(),
        1,
        "it is not tried again: {report}"
    );
}

#[test]
fn insecure_trusts_anybody() {
    let (_, config) = certified();
    let server = Server::start_tls(config, good);
    let project = Project::with_suite(&suite_of(2));
    target(&project, &server.base_url(), "insecure: true");
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
}

#[test]
fn a_ca_file_that_is_none_is_told_before_anything_is_sent() {
    for (content, word) in [(None, "No such file"), (Some("no certificate"), "holds no PEM certificate")] {
        let live = Live::new(&suite_of(1), "ca_file: ca.pem", good);
        if let Some(content) = content {
            live.project.write("ca.pem", content);
        }
        let ran = live.expect(3, &[]);
        assert!(ran.text.contains("ca.pem") && ran.text.contains(word), "{}", ran.text);
        assert!(live.server.requests().is_empty());
    }
}

#[test]
fn https_spoken_to_a_plain_server_is_a_clear_error() {
    let live = Live::new(&suite_of(1), "retries: 0", good);
    let secure = live.server.base_url().replace("http://", "https://");
    target(&live.project, &secure, "retries: 0\ninsecure: true");
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("the request was not sent: connect to 127.0.0.1"), "{}", ran.text);
}

#[test]
fn a_proxy_that_is_named_is_used() {
    let proxy = Server::start(good);
    let project = Project::with_suite(&suite_of(3));
    target(&project, "http://dify.invalid/v1", &format!("proxy: http://{}", proxy.address()));
    let ran = run(&project, &["-j", "1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let seen = proxy.requests();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.target == "POST http://dify.invalid/v1/workflows/run"), "{seen:?}");
}

#[test]
fn https_goes_through_a_proxy_in_a_tunnel() {
    let (authority, config) = certified();
    let server = Server::start_tls(config, good);
    let to = server.address();
    let proxy = Server::start(move |_| {
        vec![Step::Send(b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec()), Step::Tunnel(to)]
    });
    let project = Project::with_suite(&blocking(8));
    project.write("ca.pem", authority);
    target(
        &project,
        "https://dify.invalid/v1",
        &format!("ca_file: ca.pem\nproxy: http://{}", proxy.address()),
    );
    let ran = run(&project, &["-j", "1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(server.runs().len(), 8);
    let seen = proxy.requests();
    assert!(seen.len() >= 8, "each run has a tunnel of its own: {seen:?}");
    for tunnel in &seen {
        assert_eq!(tunnel.target, "CONNECT dify.invalid:443");
        assert!(!tunnel.head.contains("authorization"), "the proxy does not see the key: {}", tunnel.head);
    }
}

#[test]
fn a_proxy_that_is_down_is_named_in_the_error() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let project = Project::with_suite(&suite_of(1));
    target(&project, "http://dify.invalid/v1", &format!("retries: 0\nproxy: http://user:pa55word@{address}"));
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(ran.text.contains("refused"), "{}", ran.text);
    crate::live::assert_hidden(&project, &ran, &["pa55word"]);
}

/// A run with the environment's proxy set to a server that answers everything with 418.
fn with_env_proxy(base_url: impl Fn(&Server) -> String, keys: &str) -> (Ran, usize, usize) {
    let proxy =
        Server::start(|_| vec![Step::Send(document("418 Proxy", "text/plain", b"the proxy was asked"))]);
    let server = Server::start(good);
    let project = Project::with_suite(&suite_of(1));
    target(&project, &base_url(&server), &format!("retries: 0\n{keys}"));
    let mut command = command(&project, &[]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{}", proxy.address()));
    }
    let ran = finish(&project, command);
    (ran, proxy.requests().len(), server.runs().len())
}

#[test]
fn the_environments_proxy_is_used_but_never_for_this_machine() {
    let (ran, asked, _) = with_env_proxy(|_| "http://dify.invalid/v1".to_owned(), "");
    assert!(asked == 1 && ran.text.contains("the proxy was asked"), "{}", ran.text);
    let (ran, asked, runs) = with_env_proxy(Server::base_url, "");
    assert_eq!((ran.code, asked, runs), (Some(0), 0, 1), "{}", ran.text);
    let (ran, asked, runs) =
        with_env_proxy(|server| format!("http://localhost:{}/v1", server.address().port()), "");
    assert_eq!((ran.code, asked, runs), (Some(0), 0, 1), "{}", ran.text);
    let (_, asked, _) = with_env_proxy(|_| "http://dify.invalid/v1".to_owned(), "proxy: none");
    assert_eq!(asked, 0);
}

// Bodies.

fn blocking(count: usize) -> String {
    suite_of(count).replace("    inputs:", "    response_mode: blocking\n    inputs:")
}

fn gzip(chunks: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    chunks.for_each(|chunk| encoder.write_all(&chunk).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn a_body_larger_than_64_mb_is_given_up() {
    let endless = || {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
        vec![Step::Send([head, chunk(b"{\"x\": \"")].concat()), Step::Endless(chunk(&[b'a'; 64 << 10]))]
    };
    let live = Live::new(&blocking(1), "", move |_| endless());
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("larger than 64 MB"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 1);
}

#[test]
fn a_gzip_bomb_is_given_up_after_64_mb() {
    let bomb = gzip((0..1000).map(|_| vec![b' '; 1 << 20]));
    assert!(bomb.len() < 8 << 20, "it is small on the wire: {}", bomb.len());
    let live = Live::new(&blocking(1), "", move |_| {
        vec![Step::Send(with_headers("200 OK", "application/json", "Content-Encoding: gzip\r\n", &bomb))]
    });
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("larger than 64 MB"), "{}", ran.text);
}

#[test]
fn gzip_that_nobody_asked_for_is_read_and_garbage_is_told() {
    let good = gzip(std::iter::once(run_document(r#"{"x":1}"#).into_bytes()));
    let cut = good[..good.len() / 2].to_vec();
    let bodies = [
        (good, 0, "1 passed"),
        (cut, 3, "the answer cannot be read"),
        (b"not gzip at all".to_vec(), 3, "the compressed answer cannot be read"),
    ];
    for (body, code, said) in bodies {
        let live = Live::new(&blocking(1), "", move |_| {
            vec![Step::Send(with_headers("200 OK", "application/json", "Content-Encoding: gzip\r\n", &body))]
        });
        let ran = live.expect(code, &[]);
        assert!(ran.text.contains(said), "{said}: {}", ran.text);
    }
}

#[test]
fn a_stream_without_end_is_given_up() {
    let text = event(
        "task-1",
        "text_chunk",
        &format!(r#"{{"text":"{}","from_variable_selector":["a","text"]}}"#, "a".repeat(60 << 10)),
    );
    let live = Live::new(&suite_of(1), "", move |seen| {
        if seen.is_run() {
            vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Endless(text.clone())]
        } else {
            vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))]
        }
    });
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("larger than 64 MB"), "{}", ran.text);
    assert_eq!(live.server.stops().len(), 1, "the task is stopped");
}

#[test]
fn a_flood_of_pings_or_comments_ends_by_a_limit() {
    for bytes in [ping(), chunk(b": still here\n\n"), chunk(b"data"), chunk(b"\n\n\n\n")] {
        let live = Live::new(&suite_of(1), "timeouts: { first_event: 600ms, total: 20s }", move |_| {
            vec![Step::Send(stream_head()), Step::Endless(bytes.repeat(100))]
        });
        let ran = live.expect(3, &[]);
        assert_eq!(live.verdict("t0"), "errored", "{}", ran.text);
    }
}

#[test]
fn a_head_without_end_is_no_answer() {
    let live = Live::new(&suite_of(1), "timeouts: { first_event: 20s, total: 30s }", |_| {
        vec![
            Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
            Step::Endless(b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(100)),
        ]
    });
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("the answer is not HTTP"), "{}", ran.text);
    let slow = Live::new(&suite_of(1), "timeouts: { first_event: 500ms }", |_| {
        let mut steps = vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec())];
        (0..100)
            .for_each(|_| steps.extend([Step::Sleep(Duration::from_millis(50)), Step::Send(b"X".to_vec())]));
        steps
    });
    let ran = slow.expect(3, &[]);
    assert!(ran.text.contains("no answer within 500 ms"), "{}", ran.text);
}
