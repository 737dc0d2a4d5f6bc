//! Webhooks from Meta to a user's server, through a running process.
//!
//! Start `cargo run --release` with an empty STAFFETTA_HOME, then
//! `cargo bench -p tests --bench webhooks -- [rate] [seconds]`: posts signed statuses
//! at that rate to the demo account, which forwards them to a receiver in this
//! process; first alone, then beside an endpoint that hangs. Both processes, the
//! receiver and the load share the machine.
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has no figures")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use harness::sign;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// When each event arrived.
type Arrived = Arc<Mutex<HashMap<String, Instant>>>;

async fn take(State(arrived): State<Arrived>, body: Bytes) {
    let now = Instant::now();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = body.pointer("/entry/0/changes/0/value/statuses/0/id").and_then(Value::as_str);
    if let Some(id) = id {
        arrived.lock().unwrap().entry(id.to_owned()).or_insert(now);
    }
}

async fn hang() {
    std::future::pending().await
}

fn status(number: &str, id: &str) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{
        "field": "messages",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
            "statuses": [{"id": id, "status": "delivered", "timestamp": "1782892800",
                "recipient_id": "393330000001",
                "pricing": {"billable": true, "pricing_model": "PMP", "category": "utility"}}],
        },
    }]}]})
}

struct Load {
    client: Client,
    url: String,
    secret: String,
    number: String,
    arrived: Arrived,
}

impl Load {
    /// Posts `rate` webhooks a second; answers how long each was answered in, and how
    /// long each took to arrive.
    async fn run(&self, name: &str, rate: u32, seconds: u32) {
        let (start, count) = (Instant::now(), rate * seconds);
        let mut posts = tokio::task::JoinSet::new();
        let mut sent = Vec::new();
        for n in 0..count {
            let due = start + Duration::from_secs_f64(f64::from(n) / f64::from(rate));
            sleep_until(due).await;
            let id = format!("wamid.{name}.{n}");
            let body = status(&self.number, &id).to_string();
            let signature = sign(&self.secret, body.as_bytes());
            let request = self.client.post(&self.url).header("x-hub-signature-256", signature).body(body);
            sent.push((id, Instant::now()));
            posts.spawn(async move {
                let began = Instant::now();
                let status = request.send().await.unwrap().status();
                assert!(status.is_success(), "{status}");
                began.elapsed()
            });
        }
        let answered: Vec<Duration> = posts.join_all().await;
        let loaded = start.elapsed();
        while self.arrived.lock().unwrap().len() < count as usize
            && start.elapsed() < loaded + Duration::from_secs(60)
        {
            sleep(Duration::from_millis(20)).await;
        }
        let arrived = std::mem::take(&mut *self.arrived.lock().unwrap());
        let took: Vec<Duration> =
            sent.iter().filter_map(|(id, at)| Some(arrived.get(id)?.duration_since(*at))).collect();
        let last = arrived.values().max().unwrap().duration_since(start);
        println!(
            "{name:<24} {count:>7} posted in {:>5.1} s, {} arrived in {:>5.1} s: {:.0}/s",
            loaded.as_secs_f64(),
            took.len(),
            last.as_secs_f64(),
            took.len() as f64 / last.as_secs_f64(),
        );
        print_times("  answered", answered);
        print_times("  arrived after", took);
    }
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!("{what:<24} p50 {:>7.1} ms   p99 {:>7.1} ms   most {:>7.1} ms", at(0.5), at(0.99), at(1.0));
}

async fn register(client: &Client, url: &str, key: &str, body: Value) -> Value {
    let answer = client.post(url).header("x-api-key", key).json(&body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    answer
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u32>().ok());
    let (rate, seconds) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(10));
    let home = std::env::var("STAFFETTA_HOME").unwrap_or_else(|_| "../.local".to_owned());
    let file = std::fs::read(format!("{home}/credentials.json")).unwrap();
    let known: Value = serde_json::from_slice(&file).unwrap();
    let text = |name: &str| known[name].as_str().unwrap().to_owned();
    let (client, base) = (Client::new(), text("url"));

    let arrived = Arrived::default();
    let router =
        Router::new().route("/hook", post(take)).route("/hang", post(hang)).with_state(arrived.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });

    let load = Load {
        client: client.clone(),
        url: format!("{base}/webhooks/meta"),
        secret: text("meta_app_secret"),
        number: text("phone_number_id"),
        arrived,
    };
    let (key, token) = (text("apikey"), text("token"));
    let hook = json!({"token": token, "url": format!("{receiver}/hook")});
    register(&client, &format!("{base}/api/whatsapp-meta/set_webhook"), &key, hook).await;
    load.run(&format!("alone-{}", std::process::id()), rate, seconds).await;

    let hanging = json!({"name": "hangs", "url": format!("{receiver}/hang"), "events": ["meta.change"]});
    let made = register(&client, &format!("{base}/api/webhooks"), &key, hanging).await;
    load.run(&format!("beside-hanging-{}", std::process::id()), rate / 2, seconds * 2).await;
    let url = format!("{base}/api/webhooks/{}", made["webhook"]["id"]);
    client.delete(url).header("x-api-key", &key).send().await.unwrap();
}
