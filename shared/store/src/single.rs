//! One item: read, written, updated, deleted.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;

use crate::item::{Item, Key, read, s};
use crate::repeat::{MARK, is_marked};
use crate::update::{Update, When, conditions};
use crate::{Error, Result, Store};

impl Store {
    /// Reads an item, strongly consistent.
    pub(crate) async fn get_item(&self, key: &Key) -> Result<Option<Item>> {
        let request = self.client().get_item().table_name(self.table()).consistent_read(true);
        Ok(request.set_key(Some(key.attributes())).send().await?.item)
    }

    /// Reads an item's body, strongly consistent.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key, kind: &'static str) -> Result<Option<T>> {
        self.get_item(key).await?.map(|item| read(item, kind)).transpose()
    }

    /// Writes an item that must not exist yet.
    pub(crate) async fn create(&self, item: Item) -> Result<()> {
        self.replace(item, vec![When::Absent("pk")]).await
    }

    /// Writes an item in the place of what was there, if that fits. An item that is
    /// there by this very request, whose reply was lost, is no conflict.
    pub(crate) async fn replace(&self, mut item: Item, when: Vec<When>) -> Result<()> {
        let mark = self.mark();
        item.insert(MARK.to_owned(), s(&mark));
        self.patiently(|| self.send_put(item.clone(), when.clone(), &mark)).await
    }

    async fn send_put(&self, item: Item, when: Vec<When>, mark: &str) -> Result<()> {
        let (condition, names, values) = conditions(when);
        let request = self
            .client()
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed))
                if failed.item().is_some_and(|item| is_marked(item, Some(mark))) =>
            {
                Ok(())
            }
            Some(_) | None => Err(error.into()),
        }
    }

    /// Writes an item whatever was there.
    pub(crate) async fn put(&self, item: Item) -> Result<()> {
        let put = || self.client().put_item().table_name(self.table()).set_item(Some(item.clone()));
        self.patiently(|| async { Ok(put().send().await.map(|_| ())?) }).await
    }

    /// Deletes an item, if it is there.
    pub(crate) async fn delete(&self, key: &Key) -> Result<()> {
        let delete = || self.client().delete_item().table_name(self.table()).set_key(Some(key.attributes()));
        self.patiently(|| async { Ok(delete().send().await.map(|_| ())?) }).await
    }

    /// Deletes an item; answers whether it was there.
    pub(crate) async fn delete_returning(&self, key: &Key) -> Result<bool> {
        let delete = || self.client().delete_item().table_name(self.table()).set_key(Some(key.attributes()));
        let delete = || delete().return_values(ReturnValue::AllOld);
        let deleted = self.patiently(|| async { Ok(delete().send().await?) }).await?;
        Ok(deleted.attributes.is_some_and(|item| !item.is_empty()))
    }

    /// Applies an update; a precondition that does not hold is a conflict.
    pub(crate) async fn update(&self, update: Update) -> Result<()> {
        self.update_returning(update).await.map(|_| ())
    }

    /// Applies an update and answers the item after it.
    pub(crate) async fn update_returning(&self, update: Update) -> Result<Item> {
        self.update_or_see(update).await?.map_err(|_| Error::Conflict)
    }

    /// Applies an update: answers the item after it, or, when a precondition does not
    /// hold, the item as it is.
    ///
    /// An update that would do harm when it is applied twice leaves a mark of its own
    /// in the item. The SDK repeats a request whose reply was lost, and a repetition
    /// that finds the mark of its request was applied before.
    pub(crate) async fn update_or_see(&self, update: Update) -> Result<std::result::Result<Item, Item>> {
        let mark = (!update.is_repeatable()).then(|| self.mark());
        let update = match &mark {
            Some(mark) => update.marked(mark),
            None => update,
        };
        self.patiently(|| self.send_update(update.clone(), mark.as_deref())).await
    }

    async fn send_update(
        &self,
        update: Update,
        mark: Option<&str>,
    ) -> Result<std::result::Result<Item, Item>> {
        let key = update.key.clone();
        let rendered = update.render();
        let request = self
            .client()
            .update_item()
            .table_name(self.table())
            .set_key(Some(rendered.key))
            .update_expression(rendered.update)
            .set_condition_expression(rendered.condition)
            .set_expression_attribute_names(rendered.names)
            .set_expression_attribute_values(rendered.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_values(ReturnValue::AllNew);
        let error = match request.send().await {
            Ok(answer) => return Ok(Ok(answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() else {
            return Err(error.into());
        };
        let item = match failed.item() {
            Some(item) => item.clone(),
            // There is none; or an emulator does not send it along.
            None => self.get_item(&key).await?.unwrap_or_default(),
        };
        Ok(if is_marked(&item, mark) { Ok(item) } else { Err(item) })
    }
}
