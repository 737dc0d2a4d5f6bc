//! The client against receivers that misbehave, on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod receiver;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outbound::{
    AddressClass, Answer, Client, Failure, HeaderMap, HeaderValue, HostTable, Limits, Policy, Refused,
    Resolver,
};
use receiver::{Receiver, Script};

/// Long enough for loopback, short enough for a receiver that never ends.
const SHORT: Limits = Limits { total: Duration::from_millis(300), body: 2048 };
const LONG: Limits = Limits { total: Duration::from_secs(20), body: 2048 };

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A client for which the receivers are allowed, and names come from `table`.
fn client(receivers: &[&Receiver], table: &Arc<HostTable>) -> Client {
    let allow = receivers.iter().map(|r| r.address()).collect::<Vec<_>>().join(",");
    Client::new(Policy::fetches(allow.parse().unwrap()), Resolver::Table(Arc::clone(table))).unwrap()
}

fn plain(receivers: &[&Receiver]) -> Client {
    client(receivers, &Arc::default())
}

async fn post(receiver: &Receiver, limits: Limits) -> Result<Answer, Failure> {
    let client = plain(&[receiver]);
    let target = client.target(&receiver.url("/hook")).unwrap();
    client.post(&target, HeaderMap::new(), Bytes::from_static(b"{}"), limits).await
}

async fn get(client: &Client, url: &str, limits: Limits) -> Result<Answer, Failure> {
    client.get(&client.target(url).unwrap(), HeaderMap::new(), limits).await
}

#[tokio::test]
async fn a_good_receiver_gets_the_body_and_its_answer_is_read() {
    let receiver = Receiver::start(Script::ok("text/plain", b"thanks")).await;
    let client = plain(&[&receiver]);
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
    headers.insert("host", HeaderValue::from_static("elsewhere.example"));
    let target = client.target(&receiver.url("/hook?t=1")).unwrap();
    let answer = client.post(&target, headers, Bytes::from_static(b"{\"a\":1}"), LONG).await.unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.truncated), (200, &b"thanks"[..], false));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let request = receiver.requests().remove(0);
    assert!(request.starts_with("POST /hook?t=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("webhook-id: evt_1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", receiver.address())), "{request}");
    assert!(!request.contains("accept-encoding"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
}

#[tokio::test]
async fn one_connection_serves_many_posts() {
    let receiver = Receiver::start(Script::ok("text/plain", b"ok")).await;
    let client = plain(&[&receiver]);
    let target = client.target(&receiver.url("/")).unwrap();
    for _ in 0..5 {
        client.post(&target, HeaderMap::new(), Bytes::new(), LONG).await.unwrap();
    }
    assert_eq!((receiver.requests().len(), receiver.connections()), (5, 1));
}

#[tokio::test]
async fn an_endless_answer_is_cut_for_a_webhook_and_refused_for_a_document() {
    let receiver = Receiver::start(Script::Endless).await;
    let answer = post(&receiver, LONG).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.truncated), (200, 2048, true));
    let document = get(&plain(&[&receiver]), &receiver.url("/"), LONG).await;
    assert_eq!(document, Err(Failure::TooLarge));
}

#[tokio::test]
async fn ten_announced_gigabytes_are_not_waited_for() {
    let receiver =
        Receiver::start(Script::Raw("HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\nabc")).await;
    assert_eq!(get(&plain(&[&receiver]), &receiver.url("/"), LONG).await, Err(Failure::TooLarge));
}

#[tokio::test]
async fn hanging_and_dripping_end_with_the_time_limit() {
    for script in [Script::Hang, Script::Drip, Script::DripHeaders, Script::Informational] {
        let receiver = Receiver::start(script).await;
        assert_eq!(post(&receiver, SHORT).await, Err(Failure::Timeout), "{script:?}");
        let document = get(&plain(&[&receiver]), &receiver.url("/"), SHORT).await;
        assert_eq!(document, Err(Failure::Timeout), "{script:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_a_reset() {
    for script in [
        Script::Reset,
        Script::Raw(""),
        Script::Raw("SSH-2.0-OpenSSH_9.7\r\n"),
        Script::Raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"),
        Script::Raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    ] {
        let receiver = Receiver::start(script).await;
        assert_eq!(post(&receiver, LONG).await, Err(Failure::Reset), "{script:?}");
        assert_eq!(receiver.connections(), 1, "a post is not repeated by itself: {script:?}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let receiver = Receiver::start(Script::Hang).await;
    let (client, url) = (plain(&[&receiver]), receiver.url("/"));
    receiver.stop().await;
    assert_eq!(get(&client, &url, LONG).await, Err(Failure::Connect));
}

#[tokio::test]
async fn what_speaks_no_tls_is_no_secure_connection() {
    let receiver = Receiver::start(Script::First("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let url = receiver.url("/").replacen("http://", "https://", 1);
    assert_eq!(get(&plain(&[&receiver]), &url, LONG).await, Err(Failure::Tls));
}

#[tokio::test]
async fn a_stalled_tls_handshake_ends_with_the_time_limit() {
    let receiver = Receiver::start(Script::Hang).await;
    let url = receiver.url("/").replacen("http://", "https://", 1);
    assert_eq!(get(&plain(&[&receiver]), &url, SHORT).await, Err(Failure::Timeout));
}

#[tokio::test]
async fn a_megabyte_of_headers_is_not_read() {
    let answer = format!("HTTP/1.1 200 OK\r\nx-a: {}", "a".repeat(1_000_000));
    let receiver = Receiver::start(Script::Whole(answer.leak())).await;
    assert_eq!(post(&receiver, LONG).await, Err(Failure::Reset));
}

#[tokio::test]
async fn a_year_of_retry_after_is_read_and_bounded_by_the_caller() {
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    for (answer, seconds) in [
        ("HTTP/1.1 429 Slow\r\nretry-after: 31536000\r\ncontent-length: 0\r\n\r\n", Some(31_536_000)),
        (
            "HTTP/1.1 503 No\r\nretry-after: Sun, 01 Mar 2026 00:02:00 GMT\r\ncontent-length: 0\r\n\r\n",
            Some(120),
        ),
        ("HTTP/1.1 503 No\r\nretry-after: \u{e9}\r\ncontent-length: 0\r\n\r\n", None),
    ] {
        let receiver = Receiver::start(Script::Raw(answer)).await;
        let answer = post(&receiver, LONG).await.unwrap();
        assert_eq!(answer.retry_after(now), seconds.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn a_webhook_follows_no_redirect() {
    let inner = Receiver::start(Script::ok("text/plain", b"secret")).await;
    let outer = Receiver::start(Script::redirect(307, &inner.url("/"))).await;
    let client = plain(&[&outer, &inner]);
    let target = client.target(&outer.url("/")).unwrap();
    let answer = client.post(&target, HeaderMap::new(), Bytes::new(), LONG).await.unwrap();
    assert_eq!((answer.status, inner.connections()), (307, 0));
    assert_eq!(answer.header("location"), Some(inner.url("/").as_str()));
}

#[tokio::test]
async fn a_document_redirected_to_loopback_is_refused_at_the_hop() {
    let inner = Receiver::start(Script::ok("text/plain", b"secret")).await;
    let port = inner.address().rsplit(':').next().unwrap().to_owned();
    let table = Arc::new(HostTable::default().with("rebind.example", [vec![ip("127.0.0.1")]]));
    for (location, want) in [
        (inner.url("/"), Refused::Address(AddressClass::Loopback)),
        (format!("http://2130706433:{port}/"), Refused::Address(AddressClass::Loopback)),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), Refused::Address(AddressClass::EmbedsIpv4)),
        (format!("//localhost:{port}/"), Refused::LocalName),
        ("http://rebind.example:8080/".to_owned(), Refused::ResolvesTo(AddressClass::Loopback)),
        ("file:///etc/passwd".to_owned(), Refused::Scheme),
        ("https://user:pass@example.com/".to_owned(), Refused::Credentials),
        ("https://example.com:22/".to_owned(), Refused::Port(22)),
    ] {
        let outer = Receiver::start(Script::redirect(302, &location)).await;
        let refused = get(&client(&[&outer], &table), &outer.url("/"), LONG).await;
        assert_eq!(refused, Err(Failure::Refused(want)), "{location}");
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn three_redirects_are_followed_and_headers_stay_at_home() {
    let last = Receiver::start(Script::ok("application/pdf", b"%PDF")).await;
    let third = Receiver::start(Script::redirect(308, &last.url("/d.pdf"))).await;
    let second = Receiver::start(Script::redirect(303, &third.url("/c"))).await;
    let first = Receiver::start(Script::redirect(301, &second.url("/b"))).await;
    let zeroth = Receiver::start(Script::redirect(302, &first.url("/a"))).await;
    let client = plain(&[&zeroth, &first, &second, &third, &last]);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer fake"));
    headers.insert("accept", HeaderValue::from_static("application/pdf"));
    let target = client.target(&first.url("/a")).unwrap();
    let answer = client.get(&target, headers, LONG).await.unwrap();
    assert_eq!((answer.url, &answer.body[..]), (last.url("/d.pdf"), &b"%PDF"[..]));
    assert!(first.requests()[0].contains("authorization"));
    assert!(!second.requests()[0].contains("authorization"));
    assert!(last.requests()[0].contains("accept: application/pdf"));
    assert_eq!(get(&client, &zeroth.url("/"), LONG).await, Err(Failure::Redirect));
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_failure() {
    for answer in
        ["HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\nlocation: http://\r\n\r\n"]
    {
        let receiver = Receiver::start(Script::Raw(answer)).await;
        let document = get(&plain(&[&receiver]), &receiver.url("/"), LONG).await;
        assert_eq!(document, Err(Failure::Redirect), "{answer}");
    }
}

#[tokio::test]
async fn a_name_that_changes_between_check_and_dial_is_refused_at_the_dial() {
    let table =
        Arc::new(HostTable::default().with("rebind.example", [vec![ip("8.8.8.8")], vec![ip("127.0.0.1")]]));
    let client = client(&[], &table);
    let target = client.target("https://rebind.example/hook").unwrap();
    assert_eq!(client.check(&target).await, Ok(()));
    let refused = Err(Failure::Refused(Refused::ResolvesTo(AddressClass::Loopback)));
    assert_eq!(client.post(&target, HeaderMap::new(), Bytes::new(), LONG).await, refused);
    assert_eq!(client.get(&target, HeaderMap::new(), LONG).await, refused);
}

#[tokio::test]
async fn a_name_is_resolved_once_per_connection() {
    let receiver = Receiver::start(Script::ok("text/plain", b"ok")).await;
    let port = receiver.address().rsplit(':').next().unwrap().to_owned();
    let table =
        Arc::new(HostTable::default().with("crm.example", [vec![ip("127.0.0.1")], vec![ip("10.0.0.1")]]));
    let allow = format!("crm.example:{port}").parse().unwrap();
    let client = Client::new(Policy::webhooks(allow), Resolver::Table(Arc::clone(&table))).unwrap();
    let target = client.target(&format!("http://crm.example:{port}/")).unwrap();
    for _ in 0..3 {
        client.post(&target, HeaderMap::new(), Bytes::new(), LONG).await.unwrap();
    }
    assert_eq!((table.asked("crm.example"), receiver.connections()), (1, 1));
}

#[tokio::test]
async fn one_private_address_among_public_ones_refuses_the_name() {
    let table = HostTable::default()
        .with("mixed.example", [vec![ip("8.8.8.8"), ip("10.0.0.1")]])
        .with("mapped.example", [vec![ip("::ffff:169.254.169.254")]])
        .with("metadata.example", [vec![ip("169.254.169.254")]])
        .with("inside.example", [vec![ip("10.1.2.3")]])
        .with("public.example", [vec![ip("8.8.8.8"), ip("2001:4860:4860::8888")]]);
    let policy = Policy::fetches("10.1.0.0/16".parse().unwrap());
    let client = Client::new(policy, Resolver::Table(Arc::new(table))).unwrap();
    let refused = |class| Err(Failure::Refused(Refused::ResolvesTo(class)));
    for (name, want) in [
        ("mixed.example", refused(AddressClass::Private)),
        ("mapped.example", refused(AddressClass::EmbedsIpv4)),
        ("metadata.example", refused(AddressClass::LinkLocal)),
        ("inside.example", Ok(())),
        ("public.example", Ok(())),
        ("unknown.example", Err(Failure::Dns)),
    ] {
        let target = client.target(&format!("https://{name}/")).unwrap();
        assert_eq!(client.check(&target).await, want, "{name}");
    }
}

#[tokio::test]
async fn a_target_of_a_wider_policy_is_checked_again() {
    let receiver = Receiver::start(Script::ok("text/plain", b"ok")).await;
    let wide = plain(&[&receiver]).target(&receiver.url("/")).unwrap();
    let refused = plain(&[]).post(&wide, HeaderMap::new(), Bytes::new(), LONG).await;
    assert_eq!(refused, Err(Failure::Refused(Refused::Address(AddressClass::Loopback))));
    assert_eq!(receiver.connections(), 0);
}
