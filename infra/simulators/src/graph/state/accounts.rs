//! Tokens, phone numbers and business accounts.
//!
//! Without configured ids, whatever is used first is registered, and the bearer token tells which
//! numbers and business accounts belong together.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::journal::Line;
use crate::graph::{config::Config, errors::GraphError, hash, ids::is_id};

/// Shown as the business account of a number whose token has none.
const UNKNOWN_ACCOUNT: &str = "0";

#[derive(Debug, Default)]
pub(crate) struct Accounts {
    access_token: Option<String>,
    only_number: Option<String>,
    only_account: Option<String>,
    display_phone_number: String,
    /// Phone numbers in the order of their registration.
    numbers: Vec<Number>,
    /// Business accounts with the token that used them last.
    accounts: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) id: String,
    pub(crate) display: String,
    token: u64,
}

/// Which bearer token a call carries; tokens themselves are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u64);

impl Accounts {
    pub(crate) fn new(config: &Config) -> Self {
        let mut accounts = Self {
            access_token: config.access_token.clone(),
            only_number: config.phone_number_id.clone(),
            only_account: config.waba_id.clone(),
            display_phone_number: config.display_phone_number.clone(),
            ..Self::default()
        };
        let token = config.access_token.as_deref().map_or(0, |token| hash::of(&[token]));
        if let Some(id) = &config.phone_number_id {
            accounts.restore_number(id.clone(), token);
        }
        if let Some(id) = &config.waba_id {
            accounts.accounts.insert(id.clone(), token);
        }
        accounts
    }

    /// Checks the `Authorization` header or the `access_token` parameter.
    pub(crate) fn authorize(
        &self,
        headers: &HeaderMap,
        parameter: Option<&str>,
    ) -> Result<Token, GraphError> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).or(parameter).filter(|token| !token.is_empty());
        let token = token.ok_or_else(GraphError::token)?;
        if self.access_token.as_deref().is_some_and(|expected| expected != token) {
            return Err(GraphError::token());
        }
        Ok(Token(hash::of(&[token])))
    }

    /// The phone number with this id; the second value is what the journal must remember.
    pub(crate) fn number(&mut self, id: &str, token: Token) -> Result<(Number, Option<Line>), GraphError> {
        permit(id, self.only_number.as_deref())?;
        let known = self.numbers.iter().find(|number| number.id == id);
        if let Some(number) = known.filter(|number| number.token == token.0) {
            return Ok((number.clone(), None));
        }
        let number = self.restore_number(id.to_owned(), token.0);
        Ok((number, Some(Line::Number { id: id.to_owned(), token: token.0 })))
    }

    /// Confirms a business account id, registering it on first use.
    pub(crate) fn account(&mut self, id: &str, token: Token) -> Result<Option<Line>, GraphError> {
        permit(id, self.only_account.as_deref())?;
        if self.accounts.insert(id.to_owned(), token.0) == Some(token.0) {
            return Ok(None);
        }
        Ok(Some(Line::Account { id: id.to_owned(), token: token.0 }))
    }

    /// The same for a number and its business account, without a call.
    pub(crate) fn know(&mut self, token: &str, number: &str, account: &str) -> Vec<Line> {
        let token = || Token(hash::of(&[token]));
        let number = self.number(number, token()).ok().and_then(|(_, line)| line);
        let account = self.account(account, token()).ok().flatten();
        number.into_iter().chain(account).collect()
    }

    pub(crate) fn restore_number(&mut self, id: String, token: u64) -> Number {
        if let Some(number) = self.numbers.iter_mut().find(|number| number.id == id) {
            number.token = token;
            return number.clone();
        }
        let display = if self.numbers.is_empty() {
            self.display_phone_number.clone()
        } else {
            format!("1555{:07}", hash::of(&[&id]) % 10_000_000)
        };
        let number = Number { id, display, token };
        self.numbers.push(number.clone());
        number
    }

    pub(crate) fn restore_account(&mut self, id: String, token: u64) {
        self.accounts.insert(id, token);
    }

    /// A number that is already known.
    pub(crate) fn known_number(&self, id: &str) -> Option<&Number> {
        self.numbers.iter().find(|number| number.id == id)
    }

    /// The number that is meant when none is named.
    pub(crate) fn first_number(&self) -> Option<&Number> {
        self.numbers.first()
    }

    pub(crate) fn knows_account(&self, id: &str) -> bool {
        self.accounts.contains_key(id)
    }

    /// Whether a number or an account that was never used may be registered.
    pub(crate) fn registers_numbers(&self) -> bool {
        self.only_number.is_none()
    }

    /// The numbers of a token, as its business account lists them.
    pub(crate) fn numbers_of(&self, token: Token) -> impl Iterator<Item = &Number> {
        self.numbers.iter().filter(move |number| self.same_owner(number.token, token.0))
    }

    /// Whether the account's templates may be used with the token.
    pub(crate) fn owns(&self, token: Token, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|owner| self.same_owner(*owner, token.0))
    }

    /// The business account a number's webhooks name.
    pub(crate) fn account_of(&self, number: &str) -> &str {
        let owner = self.known_number(number).map(|number| number.token);
        let mut owned = self
            .accounts
            .iter()
            .filter(|(_, token)| owner.is_some_and(|owner| self.same_owner(owner, **token)));
        owned.next().map_or(UNKNOWN_ACCOUNT, |(id, _)| id.as_str())
    }

    /// The business account of a number, where one is known.
    pub(crate) fn known_account_of(&self, number: &str) -> Option<String> {
        Some(self.account_of(number)).filter(|account| *account != UNKNOWN_ACCOUNT).map(str::to_owned)
    }

    /// Configured ids belong together whatever the token; a configured id has no token yet (0).
    fn same_owner(&self, one: u64, other: u64) -> bool {
        one == other || one == 0 || other == 0 || self.access_token.is_some()
    }
}

impl Number {
    /// The node `GET /{phone_number_id}` shows.
    pub(crate) fn node(&self) -> Map<String, Value> {
        let node = json!({
            "verified_name": "Test Number",
            "code_verification_status": "VERIFIED",
            "display_phone_number": self.display,
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "throughput": { "level": "STANDARD" },
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "messaging_limit_tier": "TIER_100K",
            "id": self.id,
        });
        node.as_object().cloned().unwrap_or_default()
    }

    /// The number as `metadata` of a webhook.
    pub(crate) fn metadata(&self) -> Value {
        json!({ "display_phone_number": self.display, "phone_number_id": self.id })
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let accepted = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    accepted.then(|| token.trim())
}

fn permit(id: &str, only: Option<&str>) -> Result<(), GraphError> {
    let permitted = match only {
        Some(only) => id == only,
        None => is_id(id),
    };
    if permitted { Ok(()) } else { Err(GraphError::unknown_object(id)) }
}
