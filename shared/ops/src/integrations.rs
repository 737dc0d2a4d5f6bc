//! Integrations: contacts out of what shops, forms and CRMs post to an account's
//! address. Nothing is ever sent to them.
//!
//! A sender turns a webhook off that is not answered with 2xx for a while, so an
//! error is only what its owner must see (an unknown token, a wrong signature) or
//! what is worth repeating (a store that does not answer). The rest is taken or
//! ignored, and the owner reads why in the list of calls.

use std::collections::HashSet;

use domain::account::{Account, Tenant};
use domain::contact::NewContact;
use domain::intake::{
    self, BadSignature, CallId, Found, Ignored, IntakeCall, IntakeOutcome, Payload, Reading, Shop,
};
use domain::merge::Warning;
use domain::phone::LeftOut;
use domain::{ContactId, Secret};
use futures::{StreamExt, stream};
use store::Store;

use crate::callers::Caller;
use crate::contacts::{Upserted, upsert};
use crate::events::EventPublisher;
use crate::{Code, Error, Result};

/// Contacts of one body that are written at once.
const CONCURRENCY: usize = 8;
/// Longest reason that is kept, in characters.
const MAX_REASON: usize = 500;
/// Longest secret of a shop, in characters.
const MAX_SECRET: usize = 255;

/// What became of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It brings contacts.
    Stored {
        /// The one that comes first.
        first: ContactId,
        /// The rest in their order, each once.
        others: Vec<ContactId>,
    },
    /// It brings no contact, and why.
    Ignored(String),
}

/// The account whose address carries `token`.
#[derive(Debug, Clone)]
pub struct IntakeAddress {
    tenant: Tenant,
    account: Account,
}

/// Finds the account behind an address.
///
/// # Errors
/// [`Code::NotFound`] naming `token` when there is none, or when its tenant is gone
/// or has no access to the API.
pub async fn find(store: &Store, token: &str) -> Result<IntakeAddress> {
    let unknown = || Error::not_found("token", "token is not the token of an account");
    let owner = store.account_of_token(&Secret::new(token.trim())).await?;
    let (tenant, account) = owner.ok_or_else(unknown)?;
    tracing::Span::current().record("tenant", tenant.as_str());
    let (tenant, account) = futures::try_join!(store.tenant(&tenant), store.account(&tenant, account))?;
    let tenant = tenant.filter(|tenant| tenant.plan.api_access).ok_or_else(unknown)?;
    Ok(IntakeAddress { tenant, account: account.ok_or_else(unknown)? })
}

/// Takes what was posted to an address: its contacts are created, or merged into
/// those that have their phone or e-mail address, and tagged with their source.
///
/// # Errors
/// [`Code::Unauthorized`] when the body claims to come from a shop whose secret the
/// account keeps, and is not signed with it; [`Code::Unavailable`] when it must be
/// posted again.
pub async fn receive(
    publisher: &EventPublisher,
    address: &IntakeAddress,
    payload: Payload<'_>,
) -> Result<Taken> {
    let payload = Payload { country: address.account.default_country, ..payload };
    let reading = intake::read(&payload);
    let (Reading::Found { source, .. } | Reading::Ignored { source, .. }) = &reading;
    let visit =
        Visit { publisher, store: &publisher.store, address, source, bytes: payload.body.len() as u64 };
    if let Err(bad) = verify(visit.store, address, &reading, &payload).await? {
        visit.log(IntakeOutcome::Refused, Some(bad.to_string()), &[]).await;
        return Err(Error::new(Code::Unauthorized, bad.to_string()));
    }
    let (contacts, notes) = match &reading {
        Reading::Found { contacts, .. } => visit.keep(contacts).await?,
        Reading::Ignored { reason, .. } => (Vec::new(), vec![reason.to_string()]),
    };
    let reason = Some(shortened(&notes)).filter(|reason| !reason.is_empty());
    let Some((first, others)) = contacts.split_first() else {
        let logged = match &reading {
            Reading::Ignored { seen, .. } => reason.as_deref().map(|reason| with_seen(reason, seen)),
            Reading::Found { .. } => reason.clone(),
        };
        visit.log(IntakeOutcome::Ignored, logged, &[]).await;
        return Ok(Taken::Ignored(reason.unwrap_or_default()));
    };
    visit.log(IntakeOutcome::Ok, reason, &contacts).await;
    Ok(Taken::Stored { first: *first, others: others.to_vec() })
}

/// What a body would come to.
#[derive(Debug)]
pub struct Trial {
    /// Where it comes from: the tag of its contacts.
    pub source: String,
    /// Whether it would bring contacts.
    pub outcome: IntakeOutcome,
    /// Why it would not, or what was left out.
    pub reason: Option<String>,
    /// Its contacts, and the stored ones that they would be merged into.
    pub contacts: Vec<(Found, Option<ContactId>)>,
    /// The names of the keys in it: see [`Reading::Ignored`].
    pub seen: Vec<String>,
}

/// What [`receive`] would make of a body that is posted to the address of one of the
/// caller's accounts, the plan's limit apart. Nothing is written.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer.
pub async fn try_body(
    store: &Store,
    caller: &Caller,
    account: Account,
    payload: Payload<'_>,
) -> Result<Trial> {
    let payload = Payload { country: account.default_country, ..payload };
    let address = IntakeAddress { tenant: caller.tenant.clone(), account };
    let reading = intake::read(&payload);
    let (Reading::Found { source, seen, .. } | Reading::Ignored { source, seen, .. }) = &reading;
    let without = |outcome, reason: String| Trial {
        source: source.clone(),
        outcome,
        reason: Some(reason),
        contacts: Vec::new(),
        seen: seen.clone(),
    };
    if let Err(bad) = verify(store, &address, &reading, &payload).await? {
        return Ok(without(IntakeOutcome::Refused, bad.to_string()));
    }
    let found = match &reading {
        Reading::Found { contacts, .. } => contacts.clone(),
        Reading::Ignored { reason, .. } => return Ok(without(IntakeOutcome::Ignored, reason.to_string())),
    };
    let origin = Some(address.account.id);
    let rows: Vec<NewContact> =
        found.iter().map(|found| found.clone().into_contact(source, origin, store.clock().now())).collect();
    let identities = rows.iter().flat_map(NewContact::identities).collect();
    let mut book = store.load_book(&address.tenant.id, identities).await?;
    let (now, mut made) = (store.clock().now(), 0);
    let mut notes: Vec<String> = found.iter().flat_map(|found| found.notes.clone()).collect();
    for (index, row) in rows.iter().enumerate() {
        let mut fresh = || {
            made += 1;
            Some(ContactId(u64::MAX - made))
        };
        // There is always room for one more.
        if let Ok(applied) = book.apply(index, row, now, &mut fresh) {
            notes.extend(applied.warning.map(|warning| in_words(warning).to_owned()));
        }
    }
    // Rows may turn out to be one person, also by a row after them.
    let mut contacts: Vec<(Found, Option<ContactId>)> = Vec::with_capacity(found.len());
    for (found, row) in found.into_iter().zip(&rows) {
        let id = row.identities().iter().find_map(|identity| book.holder(identity));
        match contacts.iter_mut().find(|(_, known)| id.is_some() && *known == id) {
            Some((first, _)) => {
                first.name = first.name.take().or(found.name);
                first.phone = first.phone.take().or(found.phone);
                first.email = first.email.take().or(found.email);
                first.notes.extend(found.notes);
            }
            None => contacts.push((found, id)),
        }
    }
    for (_, id) in &mut contacts {
        *id = id.filter(|id| id.0 < u64::MAX - made);
    }
    let reason = Some(shortened(&notes)).filter(|reason| !reason.is_empty());
    Ok(Trial { source: source.clone(), outcome: IntakeOutcome::Ok, reason, contacts, seen: seen.clone() })
}

/// Whether every shop that a body claims to come from, and that the account keeps a
/// secret of, signed it. WooCommerce does not sign its ping, and wants it answered.
async fn verify(
    store: &Store,
    IntakeAddress { tenant, account }: &IntakeAddress,
    reading: &Reading,
    payload: &Payload<'_>,
) -> Result<std::result::Result<(), BadSignature>> {
    let source = match reading {
        Reading::Ignored { reason: Ignored::Ping, .. } => return Ok(Ok(())),
        Reading::Found { source, .. } | Reading::Ignored { source, .. } => source,
    };
    for shop in Shop::claimed(payload, source) {
        if let Some(secret) = store.shop_secret(&tenant.id, account.id, shop).await?
            && let Err(bad) = shop.verify(payload, &secret)
        {
            return Ok(Err(bad));
        }
    }
    Ok(Ok(()))
}

/// One call of an address.
struct Visit<'a> {
    publisher: &'a EventPublisher,
    store: &'a Store,
    address: &'a IntakeAddress,
    source: &'a str,
    bytes: u64,
}

impl Visit<'_> {
    /// Upserts the contacts; answers them, and what of them was left out.
    async fn keep(&self, found: &[Found]) -> Result<(Vec<ContactId>, Vec<String>)> {
        let mut notes: Vec<String> = found.iter().flat_map(|found| found.notes.clone()).collect();
        let origin = Some(self.address.account.id);
        let now = self.store.clock().now();
        let rows = found.iter().map(|found| found.clone().into_contact(self.source, origin, now));
        let rows: Vec<NewContact> = rows.collect();
        let at_once = if share_identities(&rows) { 1 } else { CONCURRENCY };
        let upserts: Vec<_> = rows.iter().map(|row| self.upsert(row)).collect();
        let done: Vec<_> = stream::iter(upserts).buffered(at_once).boxed().collect().await;
        let mut ids = Vec::new();
        for upserted in done {
            match upserted {
                Ok(Upserted { contact, warning, .. }) => {
                    notes.extend(warning.map(|warning| in_words(warning).to_owned()));
                    if !ids.contains(&contact.id) {
                        ids.push(contact.id);
                    }
                }
                Err(error) if error.code == Code::PlanLimit => notes.push(error.message),
                Err(error) => return Err(error),
            }
        }
        Ok((ids, notes))
    }

    async fn upsert(&self, row: &NewContact) -> Result<Upserted> {
        let tenant = &self.address.tenant;
        let done = upsert(self.publisher, &tenant.id, tenant.plan.contacts, row).await;
        // Senders repeat what is unavailable, not what conflicts.
        done.map_err(|error| {
            if error.code == Code::Conflict { Error { code: Code::Unavailable, ..error } } else { error }
        })
    }

    /// Writes the call down, within what is listed in an hour. What became of the
    /// body stands whether that succeeds or not.
    async fn log(&self, outcome: IntakeOutcome, reason: Option<String>, contacts: &[ContactId]) {
        if let Err(error) = self.try_log(outcome, reason, contacts).await {
            tracing::warn!(code = error.code.as_str(), "a call of an integration is not listed");
        }
    }

    async fn try_log(
        &self,
        outcome: IntakeOutcome,
        reason: Option<String>,
        contacts: &[ContactId],
    ) -> Result<()> {
        let IntakeAddress { tenant, account } = self.address;
        let count = self.store.count_call(&tenant.id, account.id, outcome).await?;
        let most = outcome.listed_in_an_hour();
        if count > most {
            return Ok(());
        }
        let last = "the last call of this outcome that is listed in this hour".to_owned();
        let reason = match reason {
            Some(reason) if count == most => Some(format!("{reason}; {last}")),
            None if count == most => Some(last),
            reason => reason,
        };
        let call = IntakeCall {
            id: CallId(self.store.entropy().ulid(self.store.clock().now())),
            source: self.source.to_owned(),
            outcome,
            reason,
            contacts: contacts.to_vec(),
            bytes: self.bytes,
        };
        Ok(self.store.create_call(&tenant.id, account.id, &call).await?)
    }
}

/// Whether an upsert of one row may touch the contact of another.
fn share_identities(rows: &[NewContact]) -> bool {
    let mut seen = HashSet::new();
    !rows.iter().flat_map(NewContact::identities).all(|identity| seen.insert(identity))
}

fn in_words(warning: Warning) -> &'static str {
    match warning {
        Warning::EmailTaken => "the e-mail address stays with another contact",
        Warning::PhoneTaken => "the phone number stays with another contact",
        Warning::LeftOut(LeftOut::OtherNumber) => "of several numbers the first was taken",
        Warning::LeftOut(LeftOut::Extension) => "the extension of the number was left out",
        Warning::LeftOut(LeftOut::NoNumber) => "what is no phone number was left out",
        Warning::LeftOut(LeftOut::OtherEmail) => "of several e-mail addresses the first was taken",
        Warning::LeftOut(LeftOut::NoEmail) => "what is no e-mail address was left out",
        Warning::LimitReached => "a limit of the contact kept something out",
    }
}

/// A reason with the names of the keys that were there, for the owner alone.
fn with_seen(reason: &str, seen: &[String]) -> String {
    if seen.is_empty() { reason.to_owned() } else { format!("{reason}; seen: {}", seen.join(", ")) }
}

/// Each note once.
fn shortened(notes: &[String]) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for note in notes {
        if !unique.contains(&note.as_str()) {
            unique.push(note);
        }
    }
    unique.join("; ").chars().take(MAX_REASON).collect()
}

/// The calls of one of the caller's accounts, newest first.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer.
pub async fn calls(
    store: &Store,
    caller: &Caller,
    account: &Account,
    before: Option<CallId>,
    limit: usize,
) -> Result<Vec<IntakeCall>> {
    Ok(store.calls(caller.tenant_id(), account.id, before, limit).await?)
}

/// Keeps the secret that a shop signs with: from now on whatever claims to come from
/// it must be signed.
///
/// # Errors
/// [`Code::InvalidField`] for a secret that is none, [`Code::Forbidden`] for operators.
pub async fn set_secret(
    store: &Store,
    caller: &Caller,
    account: &Account,
    shop: Shop,
    secret: &str,
) -> Result<()> {
    caller.require_owner()?;
    // A space may be part of a generated secret; the end of a line comes of copying.
    let secret = secret.trim_matches(['\r', '\n', '\t']);
    if secret.trim().is_empty() || secret.chars().count() > MAX_SECRET {
        return Err(Error::invalid("secret", "secret must have 1 to 255 characters"));
    }
    store.put_shop_secret(caller.tenant_id(), account.id, shop, &Secret::new(secret)).await?;
    Ok(store.audit(caller.tenant_id(), &caller.key.name, "shop secret set").await?)
}

/// Forgets the secret of a shop, if there is one.
///
/// # Errors
/// [`Code::Forbidden`] for operators.
pub async fn remove_secret(store: &Store, caller: &Caller, account: &Account, shop: Shop) -> Result<()> {
    caller.require_owner()?;
    store.delete_shop_secret(caller.tenant_id(), account.id, shop).await?;
    Ok(store.audit(caller.tenant_id(), &caller.key.name, "shop secret removed").await?)
}

/// The shops that one of the caller's accounts keeps a secret of.
///
/// # Errors
/// [`Code::Unavailable`] when a store does not answer.
pub async fn shops_with_secret(store: &Store, caller: &Caller, account: &Account) -> Result<Vec<Shop>> {
    Ok(store.shops_with_secret(caller.tenant_id(), account.id).await?)
}
