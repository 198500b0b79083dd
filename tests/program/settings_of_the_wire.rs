//! Certificates and proxies: settings, not weather. What is wrong with them is said once, and
//! nothing is asked again.

use crate::listener::{Listener, join};
use crate::program::{Home, Program, Said};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

const URN: &str = "urn:fss:cn-north-4:0123:function:default:report";

/// A page of nothing, and a switch that is on, whatever is asked.
const ANSWER: &str = r#"{"invocations":[],"count":0,"enable_async_status_log":true}"#;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A server that shows one of the certificates.
fn tls_server(certificate: &str) -> Listener {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(fixture(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config =
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    Listener::new(move |_, mut socket| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        answer(&mut Stream::new(&mut connection, &mut socket), http_ok().as_bytes())
    })
}

/// A server that reads a request and says these words.
fn plain_server(words: String) -> Listener {
    Listener::new(move |_, mut socket| answer(&mut socket, words.as_bytes()))
}

fn http_ok() -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{ANSWER}",
        ANSWER.len()
    )
}

fn answer(stream: &mut (impl Read + Write), words: &[u8]) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
    stream.write_all(words)?;
    stream.flush()
}

fn sync(home: &Home, endpoint: &str) -> Program {
    let program = home.run(["sync", "--function", URN, "--max-rps", "100000"]).signed();
    program.env("FGARCHIVE_ENDPOINT", endpoint)
}

/// Said once, with the next step, and nothing of a library beside it.
#[track_caller]
fn is_said_once(said: &Said, words: &str) {
    assert_eq!(said.code(), 2, "{}", said.stderr);
    assert_eq!(said.stderr.matches(words).count(), 1, "{words}: {}", said.stderr);
    let errors = said.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{}", said.stderr);
    assert!(said.stderr.contains("\nhint: "), "{}", said.stderr);
    for library in ["ERROR", "rustls", "hyper", "failed to verify"] {
        assert!(!said.stderr.contains(library), "{library}: {}", said.stderr);
    }
}

#[test]
fn a_certificate_that_is_not_accepted_is_said_once() {
    for (certificate, words) in [
        ("self_signed.pem", "signed by nobody whom this machine trusts, or by itself"),
        (
            "expired.pem",
            "its certificate expired at 2020-01-02T00:00:00Z, and this machine's clock says 20",
        ),
        (
            "early.pem",
            "its certificate is valid from 2119-01-01T00:00:00Z on, and this machine's clock says 20",
        ),
        ("other_name.pem", "its certificate is for another name: elsewhere.example"),
    ] {
        let (home, server) = (Home::new(), tls_server(certificate));
        let said = sync(&home, &format!("https://127.0.0.1:{}", server.port))
            .args([OsStr::new("--ca-cert"), fixture("ca.pem").as_os_str()])
            .output();
        is_said_once(&said, words);
        assert_eq!(server.accepted(), 1, "{certificate}: {}", said.stderr);
    }
    let (home, server) = (Home::new(), tls_server("good.pem"));
    is_said_once(
        &sync(&home, &format!("https://127.0.0.1:{}", server.port)).output(),
        "no secure connection can be made",
    );
    assert!(server.accepted() <= 1);
}

#[test]
fn an_authority_that_was_added_is_trusted() {
    let (home, server) = (Home::new(), tls_server("good.pem"));
    let authority = std::fs::read(fixture("ca.pem")).unwrap();
    // Some editors begin a file with a byte order mark.
    std::fs::write(home.join("own.pem"), [b"\xef\xbb\xbf", &*authority].concat()).unwrap();
    for path in [fixture("ca.pem").as_os_str(), OsStr::new("own.pem")] {
        sync(&home, &format!("https://127.0.0.1:{}", server.port))
            .args([OsStr::new("--ca-cert"), path])
            .exits(0);
    }
}

#[test]
fn authorities_that_the_environment_names_are_used_or_told() {
    let (home, server) = (Home::new(), tls_server("good.pem"));
    let with = |name: &str, value: &OsStr| {
        sync(&home, &format!("https://127.0.0.1:{}", server.port)).env(name, value).output()
    };
    let said = with("SSL_CERT_FILE", OsStr::new("missing"));
    assert_eq!(said.code(), 2, "{}", said.stderr);
    assert!(said.stderr.contains("cannot read the certificates `missing`"), "{}", said.stderr);
    assert!(said.stderr.contains("SSL_CERT_FILE"), "{}", said.stderr);
    assert_eq!((server.accepted(), home.bytes()), (0, vec![]));
    assert_eq!(with("SSL_CERT_FILE", fixture("ca.pem").as_os_str()).code(), 0);
    // What is set to nothing is unset.
    sync(&home, &format!("https://127.0.0.1:{}", server.port))
        .env("SSL_CERT_FILE", "")
        .args([OsStr::new("--ca-cert"), fixture("ca.pem").as_os_str()])
        .exits(0);
}

#[test]
fn what_speaks_no_tls_is_said_once() {
    let server = Listener::new(|_, mut socket| socket.write_all(http_ok().as_bytes()));
    let said = sync(&Home::new(), &format!("https://127.0.0.1:{}", server.port))
        .args([OsStr::new("--ca-cert"), fixture("ca.pem").as_os_str()])
        .output();
    is_said_once(&said, "what answers there does not speak TLS");
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_file_of_certificates_that_is_none_is_said_once() {
    let armour = |inside: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n")
    };
    for (bytes, words) in [
        ("no certificate".to_owned(), "cannot use the certificates"),
        (armour("!!!!"), "cannot use the certificates"),
        (armour("AAAA"), "cannot use the certificates"),
        (String::new(), "cannot use the certificates"),
        (
            format!("{}YWJj", armour("YWJj").split("-----END").next().unwrap()),
            "ends within a certificate",
        ),
    ] {
        let home = Home::new();
        std::fs::write(home.join("own.pem"), &bytes).unwrap();
        let said = sync(&home, "https://127.0.0.1:9").args(["--ca-cert", "own.pem"]).output();
        is_said_once(&said, words);
    }
    let said =
        sync(&Home::new(), "https://127.0.0.1:9").args(["--ca-cert", "missing.pem"]).output();
    is_said_once(&said, "cannot read the certificates `missing.pem`");
}

/// The service lies where no name leads, so whoever asks it directly gets another failure.
const ELSEWHERE: &str = "https://service.invalid";

#[test]
fn a_proxy_that_cannot_be_used_is_not_passed_over() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for value in [
            "http://",
            "://",
            "socks5://127.0.0.1:1080",
            "ftp://127.0.0.1",
            "http://user:hunter2@:80",
        ] {
            let said = sync(&Home::new(), ELSEWHERE).env(name, value).output();
            is_said_once(&said, &format!("the proxy in {name} cannot be used"));
            assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
        }
    }
    let home = Home::new();
    let said = sync(&home, "http://service.invalid")
        .args(["--allow-plain-http"])
        .env("HTTP_PROXY", "://")
        .output();
    is_said_once(&said, "the proxy in HTTP_PROXY cannot be used");
    assert_eq!(home.bytes(), [], "nothing was written");
}

#[cfg(unix)]
#[test]
fn a_proxy_in_no_unicode_is_not_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let value = std::ffi::OsStr::from_bytes(b"http://pro\xffxy:1");
    is_said_once(
        &sync(&Home::new(), ELSEWHERE).env("HTTPS_PROXY", value).output(),
        "the value of HTTPS_PROXY is not UTF-8",
    );
}

#[test]
fn a_proxy_that_refuses_is_asked_once() {
    let asks = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    // Where none was opened it is asked once more, for the status that tells why.
    for (words, expected, times) in [
        (asks, "it asks for a user name and a password", 1),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "it opens no way to the service, and answers with HTTP 403",
            2,
        ),
        (
            "SSH-2.0-OpenSSH_9.6\r\n",
            "it opens no way to the service, or speaks another protocol",
            2,
        ),
    ] {
        let server = plain_server(words.to_owned());
        let proxy = format!("http://user:hunter2hunter2@127.0.0.1:{}", server.port);
        let said = sync(&Home::new(), ELSEWHERE).env("HTTPS_PROXY", proxy).output();
        is_said_once(&said, expected);
        assert!(said.stderr.contains("the proxy does not let it through"), "{}", said.stderr);
        assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
        assert_eq!(server.accepted(), times);
    }
    let server = plain_server(asks.to_owned());
    let home = Home::new();
    let plain = sync(&home, "http://service.invalid").args(["--allow-plain-http"]);
    let said = plain.env("HTTP_PROXY", format!("127.0.0.1:{}", server.port)).output();
    is_said_once(&said, "the proxy does not let it through (HTTP 407");
    assert_eq!(server.accepted(), 1);
}

/// Without TLS as well: an address or a proxy where something else listens stays so.
#[test]
fn what_speaks_no_http_is_said_once() {
    let banner = || plain_server("SSH-2.0-OpenSSH_9.6\r\n".to_owned());
    let (direct, proxy) = (banner(), banner());
    let said = sync(&Home::new(), &direct.url()).output();
    is_said_once(&said, "what answers there does not speak HTTP");
    let home = Home::new();
    let plain = sync(&home, "http://service.invalid").args(["--allow-plain-http"]);
    let said = plain.env("HTTP_PROXY", proxy.url()).output();
    is_said_once(&said, "it opens no way to the service, or speaks another protocol");
    assert_eq!((direct.accepted(), proxy.accepted()), (1, 1));
}

/// A way to the server at `port` that spoils the connections whose numbers are named, from 0 on.
fn front(
    port: u16,
    is_spoilt: impl Fn(usize) -> bool + Send + Sync + 'static,
    before: impl Fn(&mut TcpStream, bool) + Send + Sync + 'static,
) -> Listener {
    Listener::new(move |number, mut socket| {
        let spoils = is_spoilt(number);
        before(&mut socket, spoils);
        if spoils { Ok(()) } else { join(socket, TcpStream::connect(("127.0.0.1", port))?) }
    })
}

/// Trouble of one connection is weather where others have led to the service, or where the proxy
/// says that it has no room now.
#[test]
fn one_bad_connection_among_good_ones_is_tried_again() {
    // TLS 1.2's record of an alert: fatal, and its number (RFC 5246, 7.2).
    let alert = |number: u8| vec![21, 3, 3, 0, 2, 2, number];
    let tls = tls_server("good.pem").port;
    let spoils = [
        ("handshake failure", alert(40)),
        ("unrecognised name", alert(112)),
        ("internal error", alert(80)),
        ("an answer in the clear", http_ok().into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (name, bytes) in spoils {
        let server = front(
            tls,
            |number| number == 1,
            move |socket, spoils| {
                if spoils {
                    let _ = socket.read(&mut [0; 1024]);
                    let _ = socket.write_all(&bytes);
                }
            },
        );
        let said = sync(&Home::new(), &format!("https://127.0.0.1:{}", server.port))
            .args([OsStr::new("--ca-cert"), fixture("ca.pem").as_os_str()])
            .output();
        assert_eq!(said.code(), 0, "{name}: {}", said.stderr);
    }

    let tls = tls_server("other_name.pem").port;
    let service = plain_server(http_ok());
    let server = front(
        service.port,
        |number| number == 1,
        |socket, spoils| {
            if spoils {
                let _ = answer(socket, b"SSH-2.0-OpenSSH_9.6\r\n");
            }
        },
    );
    sync(&Home::new(), &server.url()).exits(0);

    // By a proxy that is asked twice where it opens nothing.
    for (status, is_spoilt) in [
        ("429 Too Many Requests", (|number| number < 2) as fn(usize) -> bool),
        ("503 Service Unavailable", |number| (1..3).contains(&number)),
        ("403 Forbidden", |number| (1..3).contains(&number)),
    ] {
        let server = front(tls, is_spoilt, move |socket, spoils| {
            let said = if spoils { status } else { "200 Connection established" };
            let _ = answer(socket, format!("HTTP/1.1 {said}\r\n\r\n").as_bytes());
        });
        let said = sync(&Home::new(), "https://elsewhere.example")
            .args([OsStr::new("--ca-cert"), fixture("ca.pem").as_os_str()])
            .env("HTTPS_PROXY", server.url())
            .output();
        assert_eq!(said.code(), 0, "{status}: {}", said.stderr);
    }
}

#[test]
fn a_proxy_serves_whom_it_is_for() {
    let server = plain_server(http_ok());
    let proxied = |home: &Home| {
        let program = sync(home, "http://service.invalid").args(["--allow-plain-http"]);
        program.env("http_proxy", server.url())
    };
    proxied(&Home::new()).exits(0);
    let asked = server.accepted();
    assert!(asked > 0);
    proxied(&Home::new()).env("no_proxy", "service.invalid").exits(3).says("cannot be reached");
    assert_eq!(server.accepted(), asked);
}

/// Keys go to no host that nobody named for the service.
#[test]
fn a_private_service_is_not_looked_up_in_the_public_iam() {
    let home = Home::new();
    let private = |args: &[&str]| {
        let program = home.run(args).signed().without("HUAWEICLOUD_SDK_PROJECT_ID");
        program
            .env("FGARCHIVE_ENDPOINT", "https://fg.private.invalid")
            .env("FGARCHIVE_REGION", "cn-north-4")
            .output()
    };
    for args in [
        &["sync", "--all-functions"][..],
        &["sync", "--function", "report"],
        &["doctor", "--function", "report"],
    ] {
        let said = private(args);
        is_said_once(&said, "the project is not known, and no IAM is named");
        assert!(
            said.stderr.contains("HUAWEICLOUD_SDK_IAM_ENDPOINT or OS_AUTH_URL"),
            "{}",
            said.stderr
        );
        assert_eq!(home.bytes(), [], "nothing was written");
    }
}
