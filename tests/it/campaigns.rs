use harness::{World, person};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_the_message_once() {
    let world = World::new().await;
    world.set(serde_json::json!({"final_status": "read"}));
    world.import((0..2_000).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.campaign(id).await.state.as_str(), "finished");
    assert_eq!(world.counts(id).await, [("read", 2_000)].into());
    let stats = world.simulator.stats();
    assert_eq!((stats.accepted, stats.distinct_recipients, stats.repeated), (2_000, 2_000, 0));
}
