//! What somebody edits or takes back of what they wrote, in whatever order it comes.

use serde_json::{Value, json};
use store::messages::{Message, Rewritten};

use super::Street;

const MARIO: &str = "393487900001";

fn text(body: &str) -> Value {
    json!({"id": "wamid.o", "type": "text", "text": {"body": body}})
}

fn edit(body: &str) -> Value {
    let message = json!({"type": "text", "text": {"body": body}});
    json!({"id": "wamid.e", "type": "edit", "edit": {"original_message_id": "wamid.o", "message": message}})
}

fn revoke() -> Value {
    json!({"id": "wamid.r", "type": "revoke", "revoke": {"original_message_id": "wamid.o"}})
}

impl Street {
    /// The message, after these came from Mario in this order.
    async fn after(&self, messages: &[Value]) -> Message {
        for message in messages {
            self.says(Some(MARIO), None, message.clone()).await;
            self.world.clock.advance_ms(1_000);
        }
        let found = self.world.store().message_by_provider_id(self.world.tenant(), "wamid.o").await.unwrap();
        for other in ["wamid.e", "wamid.r"] {
            let other = self.world.store().message_by_provider_id(self.world.tenant(), other).await.unwrap();
            assert!(other.is_none(), "{other:?}");
        }
        found.unwrap()
    }
}

#[tokio::test]
async fn what_is_taken_back_is_gone_in_every_order() {
    for order in [
        vec![text("segreto"), revoke()],
        vec![revoke(), text("segreto")],
        vec![text("segreto"), edit("altro segreto"), revoke()],
        vec![edit("altro segreto"), revoke(), text("segreto")],
        vec![revoke(), edit("altro segreto"), text("segreto")],
        vec![revoke(), text("segreto"), revoke(), text("segreto")],
    ] {
        let message = Street::new().await.after(&order).await;
        assert!(matches!(message.rewritten, Some(Rewritten::Revoked(_))), "{order:?}");
        assert!(message.text.is_none() && !message.content.contains("segreto"), "{order:?}");
    }
}

#[tokio::test]
async fn what_is_edited_says_the_new_text_in_every_order() {
    for order in [vec![text("vecchio"), edit("nuovo")], vec![edit("nuovo"), text("vecchio")]] {
        let message = Street::new().await.after(&order).await;
        assert!(matches!(message.rewritten, Some(Rewritten::Edited(_))), "{order:?}");
        assert_eq!((message.text.as_deref(), message.kind.as_str()), (Some("nuovo"), "text"), "{order:?}");
    }
}

#[tokio::test]
async fn a_word_counts_in_every_edition() {
    for order in [
        [text("STOP"), edit("scusate")],
        [edit("scusate"), text("STOP")],
        [text("ciao"), edit("STOP")],
        [edit("STOP"), text("ciao")],
    ] {
        let street = Street::new().await;
        street.after(&order).await;
        assert!(street.is_opted_out(MARIO).await, "{order:?}");
    }
}

#[tokio::test]
async fn nobody_edits_what_another_wrote() {
    let street = Street::new().await;
    street.after(&[text("mio")]).await;
    for message in [edit("di un altro"), revoke()] {
        street.says(Some("393487900002"), None, message).await;
    }
    let store = street.world.store();
    let mine = store.message_by_provider_id(street.world.tenant(), "wamid.o").await.unwrap().unwrap();
    assert_eq!((mine.text.as_deref(), mine.rewritten), (Some("mio"), None));
}
