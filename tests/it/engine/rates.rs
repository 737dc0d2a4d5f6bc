//! How fast messages leave.

use futures::future::join_all;
use harness::faults::in_virtual_time;
use harness::{Api, Setup, person};
use serde_json::json;

use super::{at_80, seconds};

#[test]
fn many_clients_at_once_get_the_whole_rate() {
    in_virtual_time(Setup { per_second: 1_000, ..Setup::default() }, async |world| {
        let api = Api::of(world).await;
        world.import((0..64).map(person)).await;
        world.template("saluto", "UTILITY", "Ciao").await;
        let clients = (0..64).map(async |n: usize| {
            let mut refused = 0;
            for _ in 0..9 {
                let body = json!({
                    "token": api.token, "number": harness::phone(n), "type": "template", "template": {"name": "saluto", "language": "it"},
                });
                let answer = api.post("/api/whatsapp-meta/send", body).await;
                assert_eq!(answer.expect(200)["status"], "success");
                refused += usize::from(answer.status.as_u16() != 200);
            }
            refused
        });
        let refused: usize = join_all(clients).await.into_iter().sum();
        assert_eq!(refused, 0);
        assert_eq!(world.simulator.stats().accepted, 576);
    });
}

#[test]
fn small_campaigns_share_waves() {
    in_virtual_time(Setup { per_second: 500, ..Setup::default() }, async |world| {
        world.import((0..10).map(person)).await;
        world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(world.draft("avviso").await);
        }
        let writes = world.embedded.capacity().requests();
        for id in &ids {
            world.launch(*id).await;
        }
        seconds(60).await;
        for id in &ids {
            assert_eq!(world.counts(*id).await, [("delivered", 10)].into());
        }
        assert_eq!(world.simulator.stats().accepted, 200);
        let each = (world.embedded.capacity().requests() - writes) / 20;
        assert!(each < 120, "{each} requests for each campaign");
    });
}

#[test]
fn many_campaigns_on_one_number_keep_to_its_rate() {
    in_virtual_time(Setup { simulator: json!({"throughput_per_second": 80}), ..at_80() }, async |world| {
        world.import((0..20).map(person)).await;
        world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
        for _ in 0..30 {
            let id = world.draft("avviso").await;
            world.launch(id).await;
        }
        seconds(60).await;
        let stats = world.simulator.stats();
        assert_eq!(stats.accepted, 600);
        assert!(!stats.errors.contains_key("130429"), "{:?}", stats.errors);
    });
}

#[test]
fn a_number_that_takes_fewer_than_it_is_set_to_gets_what_it_takes() {
    for (takes, within) in [(20, 60), (60, 20)] {
        in_virtual_time(
            Setup { simulator: json!({"throughput_per_second": takes}), ..at_80() },
            async |world| {
                let id = super::launched(world, 800).await;
                seconds(within).await;
                let stats = world.simulator.stats();
                assert!(
                    stats.accepted >= 800.min(takes * within * 7 / 10),
                    "{} of {takes}/s",
                    stats.accepted
                );
                seconds(120).await;
                assert_eq!(world.counts(id).await, [("delivered", 800)].into());
                let most = world.rows(id).await.iter().map(|row| row.attempt).max();
                assert!(most <= Some(8), "{most:?} attempts at {takes}/s");
            },
        );
    }
}
