//! Many items in one request: reads, conditional statements, transactions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum as Code, BatchStatementRequest, ConditionCheck, Delete,
    KeysAndAttributes, Put, TransactWriteItem,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::item::{Item, Key};
use crate::repeat::TRIES;
use crate::update::{Update, When, conditions};
use crate::{Error, Result, Store};

/// Most statements of one batch (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html>).
const STATEMENTS: usize = 25;
/// Most keys of one batch read.
const KEYS: usize = 100;
/// Batches under way at once.
const CONCURRENCY: usize = 8;

/// How one statement of a batch ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StatementResult {
    /// It was applied.
    Yes,
    /// Its condition did not hold; the item as it is, when there is one.
    No(Option<Item>),
}

/// One action of a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Put(Item, Vec<When>),
    Update(Update),
    Delete(Key, Vec<When>),
    Check(Key, Vec<When>),
}

/// A statement that writes an item only if its key is free.
pub(crate) fn insert(table: &str, item: Item) -> Result<BatchStatementRequest> {
    let mut fields = String::new();
    let mut parameters: Vec<AttributeValue> = Vec::with_capacity(item.len());
    for (name, value) in item {
        if !fields.is_empty() {
            fields.push(',');
        }
        fields.push_str(&format!("'{name}':?"));
        parameters.push(value);
    }
    BatchStatementRequest::builder()
        .statement(format!("INSERT INTO \"{table}\" VALUE {{{fields}}}"))
        .set_parameters(Some(parameters))
        .build()
        .map_err(|_| Error::Corrupt { kind: "statement" })
}

impl Store {
    /// Reads many items, strongly consistent; the ones that do not exist are left out.
    pub(crate) async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        self.get_some(keys, None).await
    }

    /// The same with these attributes only.
    pub(crate) async fn get_some(&self, keys: Vec<Key>, project: Option<&str>) -> Result<Vec<Item>> {
        let chunks: Vec<Vec<Key>> = keys.chunks(KEYS).map(<[Key]>::to_vec).collect();
        let pages: Vec<Vec<Item>> = stream::iter(chunks)
            .map(|chunk| self.get_chunk(chunk, project))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(pages.into_iter().flatten().collect())
    }

    async fn get_chunk(&self, keys: Vec<Key>, project: Option<&str>) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        let mut asked = keys_and_attributes(keys.iter().map(Key::attributes).collect(), project)?;
        for attempt in 0..TRIES {
            let tables = HashMap::from([(self.table().to_owned(), asked)]);
            let answer = self.client().batch_get_item().set_request_items(Some(tables)).send().await?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, page)| page));
            match answer.unprocessed_keys.and_then(|mut left| left.remove(self.table())) {
                None => return Ok(items),
                Some(left) => asked = left,
            }
            self.back_off(attempt).await;
        }
        Err(Error::Unavailable { code: "UnprocessedKeys".to_owned() })
    }

    /// Runs conditional statements in batches. The answers are in the order of
    /// the statements.
    pub(crate) async fn execute(
        &self,
        statements: Vec<BatchStatementRequest>,
    ) -> Result<Vec<StatementResult>> {
        let chunks: Vec<Vec<BatchStatementRequest>> =
            statements.chunks(STATEMENTS).map(<[BatchStatementRequest]>::to_vec).collect();
        let answers: Vec<Vec<StatementResult>> = stream::iter(chunks)
            .map(|chunk| self.execute_chunk(chunk))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn execute_chunk(&self, statements: Vec<BatchStatementRequest>) -> Result<Vec<StatementResult>> {
        let mut answers: Vec<Option<StatementResult>> = vec![None; statements.len()];
        let mut open: Vec<usize> = (0..statements.len()).collect();
        for attempt in 0..TRIES {
            let asked = open.iter().map(|i| statements[*i].clone()).collect();
            let answer = self.client().batch_execute_statement().set_statements(Some(asked)).send().await?;
            let responses = answer.responses.unwrap_or_default();
            let mut again = Vec::new();
            for (i, response) in open.iter().copied().zip(responses) {
                match response.error {
                    None => answers[i] = Some(StatementResult::Yes),
                    Some(error) => match error.code {
                        Some(Code::ConditionalCheckFailed | Code::DuplicateItem) => {
                            answers[i] = Some(StatementResult::No(error.item));
                        }
                        Some(
                            Code::ThrottlingError
                            | Code::ProvisionedThroughputExceeded
                            | Code::RequestLimitExceeded
                            | Code::TransactionConflict
                            | Code::InternalServerError,
                        ) => again.push(i),
                        code => {
                            let code =
                                code.map_or_else(|| "StatementResult".to_owned(), |c| c.as_str().to_owned());
                            tracing::error!(code, message = error.message, "a statement was refused");
                            return Err(Error::of_code(&code));
                        }
                    },
                }
            }
            if again.is_empty() {
                return answers
                    .into_iter()
                    .map(|a| a.ok_or(Error::Unavailable { code: "StatementResult".to_owned() }))
                    .collect();
            }
            open = again;
            self.back_off(attempt).await;
        }
        Err(Error::Unavailable { code: "ThrottlingError".to_owned() })
    }

    /// All of `actions` or none. A precondition that does not hold is a conflict.
    pub(crate) async fn transact(&self, actions: Vec<Action>) -> Result<()> {
        match self.try_transact(actions).await?.is_empty() {
            true => Ok(()),
            false => Err(Error::Conflict),
        }
    }

    /// The same; answers whose preconditions do not hold, by index: then nothing is written.
    pub(crate) async fn try_transact(&self, actions: Vec<Action>) -> Result<Vec<usize>> {
        let items = actions.into_iter().map(|a| self.render(a)).collect::<Result<Vec<_>>>()?;
        for attempt in 0..TRIES {
            let request = self.client().transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else { return Ok(Vec::new()) };
            let reasons: Vec<String> = match error.as_service_error() {
                Some(service) if service.is_transaction_canceled_exception() => cancelled_by(service),
                Some(_) | None => return Err(error.into()),
            };
            let failed =
                |(index, reason): (usize, &String)| (reason == "ConditionalCheckFailed").then_some(index);
            let failed: Vec<usize> = reasons.iter().enumerate().filter_map(failed).collect();
            if !failed.is_empty() {
                tracing::debug!(?reasons, "a transaction was cancelled");
                return Ok(failed);
            }
            if let Some(refused) = reasons.iter().find(|r| r.starts_with("Validation")) {
                return Err(Error::of_code(refused));
            }
            if !reasons
                .iter()
                .any(|r| r == "TransactionConflict" || r.contains("Throttl") || r.contains("Exceeded"))
            {
                return Err(Error::Unavailable { code: reasons.join(",") });
            }
            self.back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    fn render(&self, action: Action) -> Result<TransactWriteItem> {
        let wrong = |_| Error::Corrupt { kind: "transaction" };
        let builder = TransactWriteItem::builder();
        let item = match action {
            Action::Update(update) => builder.update(update.into_action(self.table())?),
            Action::Put(item, when) => {
                let mut put = Put::builder().table_name(self.table()).set_item(Some(item));
                if !when.is_empty() {
                    let (condition, names, values) = conditions(when);
                    put = put
                        .condition_expression(condition)
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values);
                }
                builder.put(put.build().map_err(wrong)?)
            }
            Action::Delete(key, when) => {
                let mut delete = Delete::builder().table_name(self.table()).set_key(Some(key.attributes()));
                if !when.is_empty() {
                    let (condition, names, values) = conditions(when);
                    delete = delete
                        .condition_expression(condition)
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values);
                }
                builder.delete(delete.build().map_err(wrong)?)
            }
            Action::Check(key, when) => {
                let (condition, names, values) = conditions(when);
                let check = ConditionCheck::builder()
                    .table_name(self.table())
                    .set_key(Some(key.attributes()))
                    .condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                builder.condition_check(check.build().map_err(wrong)?)
            }
        };
        Ok(item.build())
    }
}

fn keys_and_attributes(keys: Vec<Item>, project: Option<&str>) -> Result<KeysAndAttributes> {
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .set_projection_expression(project.map(str::to_owned))
        .consistent_read(true)
        .build()
        .map_err(|_| Error::Corrupt { kind: "batch read" })
}

fn cancelled_by(
    error: &aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
) -> Vec<String> {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    let E::TransactionCanceledException(cancelled) = error else { return Vec::new() };
    // One for each action, in their order.
    cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap_or("None").to_owned()).collect()
}
