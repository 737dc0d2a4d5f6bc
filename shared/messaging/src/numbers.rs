//! Connecting numbers of Meta's Cloud API to accounts.

use channels::cloud::Graph;
use domain::Secret;
use domain::account::{Account, Number};
use domain::outcome::About;
use domain::sender::SenderId;
use ops::{Caller, Code, Error, Result};
use store::Store;
use store::numbers::Connecting;

use crate::error::of_provider;

/// Most numbers of an account: each is read with it.
const MAX_NUMBERS: usize = 20;

/// Longest token or secret of Meta, in bytes.
const MAX_SECRET: usize = 2_048;

/// A number to be connected.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Meta's id of the number.
    pub number: String,
    /// Meta's id of the business account.
    pub waba_id: String,
    /// A token that may use it.
    pub access_token: Secret,
    /// Secret of the Meta app whose webhooks report on it.
    pub app_secret: Secret,
    /// What Meta verifies the webhook with.
    pub verify_token: String,
    /// Messages per second that Meta allows.
    pub per_second: u32,
    /// Messaging tier: unique recipients in 24 hours.
    pub tier: Option<u64>,
    /// It sends when none is named.
    pub as_default: bool,
}

/// Connects a WhatsApp number to an account, or renews what is known of it, after Meta
/// confirmed that the token may use it. Answers the account with the number's id.
///
/// # Errors
/// [`Code::InvalidField`] for a missing value or a token that Meta refuses,
/// [`Code::Conflict`] when the number belongs to another account.
pub async fn connect_number(
    store: &Store,
    graph: &Graph,
    caller: &Caller,
    account: Account,
    new: Connection,
) -> Result<(Account, SenderId)> {
    caller.require_owner()?;
    check_connection(&new)?;
    let info = match graph.number(&new.number, &new.waba_id, &new.access_token).await {
        Ok(info) => info,
        Err(channels::Error::Refused(refusal)) => {
            let field = if refusal.about == About::Credentials { "access_token" } else { "phone_number_id" };
            return Err(Error::invalid(
                field,
                format!("WhatsApp refused the connection: {}", refusal.details),
            ));
        }
        Err(error) => return Err(of_provider(error)),
    };
    let number = Number {
        id: SenderId::number(&new.number),
        waba_id: new.waba_id,
        display_phone_number: info.display_phone_number,
        verified_name: info.verified_name,
        access_token: new.access_token,
        app_secret: new.app_secret,
        per_second: new.per_second,
        tier: new.tier,
        connected_at: store.clock().now(),
    };
    let is_known = account.number_of(&number.id).is_some();
    if !is_known && account.numbers.len() >= MAX_NUMBERS {
        let message = format!("an account may have at most {MAX_NUMBERS} numbers");
        return Err(Error::new(Code::PlanLimit, message));
    }
    let how = Connecting { verify_token: &new.verify_token, as_default: new.as_default };
    let account = match store.connect_number(caller.tenant_id(), account.id, &number, how).await {
        Ok(account) => account,
        Err(store::Error::Conflict) => {
            return Err(Error::conflict("the number is connected to another account"));
        }
        Err(error) => return Err(error.into()),
    };
    store.sender_changed(caller.tenant_id(), &number.id).await?;
    store.audit(caller.tenant_id(), &caller.key.name, "number connected").await?;
    Ok((account, number.id))
}

fn check_connection(new: &Connection) -> Result<()> {
    for (field, id) in [("phone_number_id", &new.number), ("waba_id", &new.waba_id)] {
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::invalid(field, format!("{field} must be Meta's numeric id")));
        }
    }
    let secrets = [
        ("access_token", new.access_token.expose()),
        ("app_secret", new.app_secret.expose()),
        ("verify_token", &new.verify_token),
    ];
    for (field, value) in secrets {
        if value.trim().is_empty() {
            return Err(Error::invalid(field, format!("{field} is required")));
        }
        // They go into headers, and one that was copied with a line break is none.
        if value.len() > MAX_SECRET || !value.bytes().all(|b| b.is_ascii_graphic()) {
            let message =
                format!("{field} must be at most {MAX_SECRET} visible ASCII characters without spaces");
            return Err(Error::invalid(field, message));
        }
    }
    if !(1..=10_000).contains(&new.per_second) {
        return Err(Error::invalid("messages_per_second", "messages_per_second must be from 1 to 10000"));
    }
    Ok(())
}
