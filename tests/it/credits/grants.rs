//! `POST /v1/subaccounts/credits`, by the contract and against it.

use futures::future::join_all;
use harness::Api;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{grant, history, purse, shop};

const PATH: &str = "/v1/subaccounts/credits";

#[tokio::test]
async fn credits_are_granted_by_email() {
    let (world, api, agency) = shop(42).await;
    let granted = grant(&agency, json!(500), json!({})).await.expect(200);
    let want = json!({"success": true, "sub_account_id": world.tenant().as_str(), "credits_added": 500, "new_balance": 542});
    assert_eq!(granted, want);
    // As text, in a form, and with an address in another case.
    let form = Request::post(PATH).header("x-api-key", &agency.key);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("email=BOTTEGA%40example.com&amount=8".into()).unwrap();
    assert_eq!(agency.send(form).await.expect(200)["new_balance"], 550);
    let told = history(&api, "/api/credits/history", 50).await;
    let amounts: Vec<(&Value, &Value)> =
        told.iter().map(|entry| (&entry["type"], &entry["amount"])).collect();
    assert_eq!(
        amounts,
        [(&json!("grant"), &json!(8)), (&json!("grant"), &json!(500)), (&json!("grant"), &json!(42))]
    );
    assert_eq!((&told[1]["description"], &told[1]["balance"]), (&json!("Ricarica"), &json!(542)));
    let theirs = history(&agency, &format!("/api/subaccounts/{}/history", world.tenant()), 2).await;
    assert_eq!(theirs, told);
}

#[tokio::test]
async fn the_key_comes_in_the_header_alone() {
    let (world, _, agency) = shop(0).await;
    let body = json!({"email": "bottega@example.com", "amount": 5, "apiKey": agency.key});
    let in_query = format!("{PATH}?apiKey={}", agency.key);
    for path in [PATH, &in_query] {
        let answer = agency.raw(Method::POST, path, "application/json", body.to_string()).await;
        assert_eq!(answer.expect(401)["error"]["code"], "UNAUTHORIZED");
    }
    assert_eq!(purse(&world).await.balance, 0);
}

#[tokio::test]
async fn what_is_no_amount_is_refused_by_name() {
    let (world, _, agency) = shop(0).await;
    for amount in [
        json!(-1),
        json!(0),
        json!(1.5),
        json!("1,5"),
        json!("many"),
        json!(1e30),
        json!(1_000_000_001),
        json!(u64::MAX),
        json!([5]),
        json!(true),
        json!(null),
        json!(""),
    ] {
        let refused = grant(&agency, amount.clone(), json!({})).await.expect(400);
        assert_eq!(refused["error"]["code"], "INVALID_AMOUNT", "{amount}");
    }
    for (more, status, code) in [
        (json!({"email": "nobody@example.com"}), 404, "NOT_FOUND"),
        (json!({"email": "x"}), 400, "INVALID_EMAIL"),
        (json!({"email": null}), 400, "INVALID_EMAIL"),
        (json!({"sub_account_id": "x"}), 404, "NOT_FOUND"),
        (json!({"description": "x".repeat(256)}), 400, "INVALID_DESCRIPTION"),
        (json!({"idempotency_key": "x".repeat(256)}), 400, "INVALID_IDEMPOTENCY_KEY"),
    ] {
        let refused = grant(&agency, json!(5), more.clone()).await.expect(status);
        assert_eq!(refused["error"]["code"], code, "{more}");
    }
    // Never more than there may be.
    for _ in 0..3 {
        grant(&agency, json!(1_000_000_000), json!({})).await.expect(200);
    }
    assert_eq!(purse(&world).await.balance, 3_000_000_000);
}

#[tokio::test]
async fn only_an_agencys_owner_grants_and_only_to_its_own() {
    let (world, api, agency) = shop(0).await;
    assert_eq!(grant(&api, json!(5), json!({})).await.expect(403)["error"]["code"], "FORBIDDEN");
    let operator = agency.post("/api/operators", json!({"name": "Bruno"})).await.expect(201);
    let operator = agency.with_key(operator["apikey"].as_str().unwrap());
    assert_eq!(grant(&operator, json!(5), json!({})).await.expect(403)["error"]["code"], "FORBIDDEN");
    let stranger = api.of_another_tenant().await;
    assert_eq!(grant(&stranger, json!(5), json!({})).await.expect(403)["error"]["code"], "FORBIDDEN");
    // A tenant that is nobody's sub-account is not there.
    let other = stranger.get("/api/account").await.expect(200)["profile"]["email"].clone();
    assert_eq!(
        grant(&agency, json!(5), json!({"email": other})).await.expect(404)["error"]["code"],
        "NOT_FOUND"
    );
    assert_eq!(purse(&world).await.balance, 0);
}

/// A grant with both kinds of keys.
async fn under(
    agency: &Api,
    amount: u64,
    email: &str,
    header: Option<&str>,
    body: Option<&str>,
) -> harness::Answer {
    let request =
        Request::post(PATH).header("x-api-key", &agency.key).header("content-type", "application/json");
    let request = match header {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    let body = json!({"email": email, "amount": amount, "idempotency_key": body});
    agency.send(request.body(body.to_string().into()).unwrap()).await
}

#[tokio::test]
async fn under_one_key_credits_are_granted_once() {
    let (world, _, agency) = shop(0).await;
    let (mail, other) = ("bottega@example.com", "altra@example.com");
    let second = json!({"name": "Altra", "email": other});
    agency.post("/api/subaccounts", second).await.expect(201);
    let first = under(&agency, 5, mail, None, Some("recharge-1")).await.expect(200);
    // What is granted under one of two keys is granted under both.
    for (header, body) in [
        (None, Some("recharge-1")),
        (Some("recharge-1"), None),
        (Some("h-1"), Some("recharge-1")),
        (Some("h-1"), None),
    ] {
        let again = under(&agency, 5, mail, header, body).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.expect(200), first);
    }
    for (amount, email) in [(6, mail), (5, other)] {
        for (header, body) in [(None, Some("recharge-1")), (Some("recharge-1"), None)] {
            let refused = under(&agency, amount, email, header, body).await.expect(409);
            assert_eq!(refused["error"]["code"], "IDEMPOTENCY_CONFLICT", "{amount} {email}");
        }
    }
    // A grant under both is known by each of them, and for good.
    under(&agency, 7, mail, Some("h-2"), Some("b-2")).await.expect(200);
    world.clock.advance_ms(40 * 86_400_000);
    for (header, body) in [(Some("h-2"), None), (None, Some("b-2")), (None, Some("h-2"))] {
        assert_eq!(under(&agency, 7, mail, header, body).await.expect(200)["new_balance"], 12);
    }
    let path = format!("/api/subaccounts/{}/credits", world.tenant());
    let again = agency.post(&path, json!({"amount": 7, "idempotency_key": "b-2"})).await.expect(200);
    assert_eq!(again["new_balance"], 12);
    assert_eq!(
        agency.post(&path, json!({"amount": 8, "idempotency_key": "b-2"})).await.expect(409)["code"],
        "idempotency_conflict"
    );
    assert_eq!(purse(&world).await.granted, 12);
    // Another agency's keys are its own.
    under(&agency, 1, mail, None, Some("b-3")).await.expect(200);
    assert_eq!(purse(&world).await.balance, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_grants_at_once_each_counts_and_those_of_one_key_once() {
    let (world, _, agency) = shop(0).await;
    let mail = "bottega@example.com";
    let keys: Vec<String> = (0..12).map(|n| format!("k-{}", n % 3)).collect();
    let answers = join_all(keys.iter().map(|key| under(&agency, 10, mail, None, Some(key)))).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(taken >= 3, "{answers:?}");
    assert_eq!(purse(&world).await.granted, 30);
    join_all((0..8).map(|_| under(&agency, 1, mail, None, None))).await;
    assert_eq!(purse(&world).await.balance, 38);
}
