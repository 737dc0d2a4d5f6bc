//! `urls.tsv` against the guard: a verdict, a tab, a URL. The verdict is `ok`, or
//! the refusal of a webhook's URL; after `fetch` it holds for webhooks alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use outbound::{AllowList, MAX_URL, Policy, Refused, Target};
use proptest::prelude::*;

const TABLE: &str = include_str!("urls.tsv");

/// `\n`, `\r`, `\t`, `\\` and `\u0000` in a URL of the table.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().unwrap() {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let code: String = chars.by_ref().take(4).collect();
                out.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
            }
            other => out.push(other),
        }
    }
    out
}

fn rows() -> impl Iterator<Item = (&'static str, String)> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let (verdict, url) = line.split_once('\t').unwrap();
        (verdict, unescape(url))
    })
}

fn verdict(result: Result<Target, Refused>) -> String {
    result.map_or_else(|refused| format!("{refused:?}"), |_| "ok".to_owned())
}

#[test]
fn every_url_of_the_table_gets_its_verdict() {
    let webhooks = Policy::webhooks(AllowList::none());
    let fetches = Policy::fetches(AllowList::none());
    let mut wrong = Vec::new();
    for (want, url) in rows() {
        let (for_webhooks, for_fetches) = want.strip_prefix("fetch ").map_or((want, want), |w| (w, "ok"));
        for (policy, want) in [(&webhooks, for_webhooks), (&fetches, for_fetches)] {
            let got = verdict(Target::parse(&url, policy));
            if got != want {
                wrong.push(format!("{url:?}: {got}, not {want}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_hundreds_of_urls_and_none_twice() {
    let urls: Vec<String> = rows().map(|(_, url)| url).collect();
    assert!(urls.len() >= 300, "{}", urls.len());
    let unique: BTreeSet<&String> = urls.iter().collect();
    assert_eq!(unique.len(), urls.len());
}

#[test]
fn what_https_refuses_http_refuses_too() {
    let fetches = Policy::fetches(AllowList::none());
    for (want, url) in rows().filter(|(want, _)| want.starts_with("Address") || *want == "LocalName") {
        let http = url.replacen("https://", "http://", 1);
        assert_eq!(verdict(Target::parse(&http, &fetches)), want, "{http:?}");
    }
}

#[test]
fn length_is_bounded_before_and_after_encoding() {
    let policy = Policy::webhooks(AllowList::none());
    let url = |n: usize| format!("https://example.com/{}", "a".repeat(n - 20));
    assert!(Target::parse(&url(MAX_URL), &policy).is_ok());
    assert_eq!(Target::parse(&url(MAX_URL + 1), &policy), Err(Refused::TooLong));
    let grows = format!("https://example.com/{}", "è".repeat(500));
    assert_eq!(Target::parse(&grows, &policy), Err(Refused::TooLong));
    assert_eq!(Target::parse(&"a".repeat(10_000_000), &policy), Err(Refused::TooLong));
}

#[test]
fn the_operator_opens_hosts_ports_and_networks() {
    let allow: AllowList =
        "localhost 127.0.0.1:9555 [fd00::5] crm.internal:8443 10.1.0.0/16".parse().unwrap();
    let policy = Policy::webhooks(allow);
    for (url, want) in [
        ("http://localhost:3000/hook", "ok"),
        ("http://LOCALHOST./hook", "ok"),
        ("http://127.0.0.1:9555/", "ok"),
        ("http://127.0.0.1:9555", "ok"),
        ("http://127.0.0.1:9555?x=//y", "ok"),
        // Only as everybody writes it.
        ("http://2130706433:9555/", "Address(Loopback)"),
        ("http://0x7f000001:9555/", "Address(Loopback)"),
        ("http://127.1:9555/", "Address(Loopback)"),
        ("http://0177.0.0.1:9555/", "Address(Loopback)"),
        ("http://%31%32%37.0.0.1:9555/", "Address(Loopback)"),
        ("http://127.0.0.1.:9555/", "Address(Loopback)"),
        ("http://10.1.51459:5678/", "Address(Private)"),
        ("http://127.0.0.1:9556/", "Address(Loopback)"),
        ("http://[::1]:9555/", "Address(Loopback)"),
        ("http://[::ffff:127.0.0.1]:9555/", "Address(EmbedsIpv4)"),
        ("http://[fd00::5]:1/", "ok"),
        ("http://[FD00::5]/", "ok"),
        ("http://[fd00:0::5]/", "Address(Private)"),
        ("https://crm.internal:8443/", "ok"),
        ("https://crm.internal/", "LocalName"),
        ("https://evil.crm.internal:8443/", "LocalName"),
        ("http://10.1.200.3:5678/webhook", "ok"),
        ("http://10.2.0.1/", "Address(Private)"),
        ("http://example.com/", "HttpsOnly"),
        ("http://user:x@localhost/", "Credentials"),
        ("ftp://localhost/", "Scheme"),
    ] {
        assert_eq!(verdict(Target::parse(url, &policy)), want, "{url}");
    }
}

#[test]
fn a_target_is_what_is_dialled() {
    let policy = Policy::webhooks(AllowList::none());
    let target = Target::parse(" HTTPS://Example.COM:443/Hook?t=1#part ", &policy).unwrap();
    assert_eq!(target.as_str(), "https://example.com/Hook?t=1");
    assert_eq!(target.host(), "example.com");
    assert_eq!(format!("{target:?}"), "Target(https://example.com/***)");
    let refused = Target::parse("https://0x7f000001/", &policy).unwrap_err();
    assert_eq!(refused.to_string(), "points to a loopback address");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_passes_passes_again(text in "(https?://)?\\PC{0,60}") {
        let policy = Policy::fetches(AllowList::none());
        if let Ok(target) = Target::parse(&text, &policy) {
            prop_assert_eq!(Target::parse(target.as_str(), &policy), Ok(target));
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused(
        a in prop::sample::select(vec![10u32, 127, 0]),
        rest in 0u32..0x0100_0000,
        style in 0usize..6,
    ) {
        let ip = a << 24 | rest;
        let [b0, b1, b2, b3] = ip.to_be_bytes();
        let host = match style {
            0 => format!("{b0}.{b1}.{b2}.{b3}"),
            1 => format!("{ip}"),
            2 => format!("{ip:#x}"),
            3 => format!("0{ip:o}"),
            4 => format!("{b0:#x}.0{b1:o}.{}", u16::from_be_bytes([b2, b3])),
            _ => format!("[::ffff:{b0}.{b1}.{b2}.{b3}]"),
        };
        let policy = Policy::fetches(AllowList::none());
        let verdict = Target::parse(&format!("http://{host}/"), &policy);
        prop_assert!(matches!(verdict, Err(Refused::Address(_))), "{host}: {verdict:?}");
    }
}
