//! `ClientRequestToken`: a transaction that is repeated is not run again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use dynoxide::DynoxideError;
use serde::Deserialize;
use serde_json::Value;

/// How long DynamoDB remembers a token.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const REMEMBERED: Duration = Duration::from_secs(600);

/// The part of a transaction that its token stands for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Transaction {
    client_request_token: Option<String>,
    transact_items: Value,
}

/// The transactions of the last ten minutes that succeeded.
#[derive(Debug, Default)]
pub(super) struct RecentTransactions {
    durable: HashMap<String, Succeeded>,
    /// Those whose commit is still to come.
    unkept: HashMap<String, Succeeded>,
}

#[derive(Debug)]
struct Succeeded {
    at: Instant,
    items: Value,
    answer: Vec<u8>,
}

impl RecentTransactions {
    /// What `transaction` was answered before, if it was.
    pub(super) fn answered(&mut self, transaction: &Transaction) -> Option<Result<Vec<u8>, DynoxideError>> {
        let token = transaction.client_request_token.as_ref()?;
        let done = self.unkept.get(token).or_else(|| self.durable.get(token))?;
        if done.at.elapsed() > REMEMBERED {
            return None;
        }
        Some(if done.items == transaction.transact_items {
            Ok(done.answer.clone())
        } else {
            Err(DynoxideError::IdempotentParameterMismatchException(
                "the token was used with other parameters".to_owned(),
            ))
        })
    }

    /// Remembers the answer to `transaction`.
    pub(super) fn remember(&mut self, transaction: Transaction, answer: &[u8]) {
        if let Some(token) = transaction.client_request_token {
            let done =
                Succeeded { at: Instant::now(), items: transaction.transact_items, answer: answer.to_vec() };
            self.unkept.insert(token, done);
        }
    }

    /// The transactions since the last call are durable.
    pub(super) fn keep(&mut self) {
        if !self.unkept.is_empty() {
            self.durable.retain(|_, done| done.at.elapsed() <= REMEMBERED);
            self.durable.extend(self.unkept.drain());
        }
    }

    /// The transactions since the last [`keep`](Self::keep) were undone.
    pub(super) fn forget_unkept(&mut self) {
        self.unkept.clear();
    }
}
