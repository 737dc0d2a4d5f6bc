//! The table.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::{Error, Result, Store};

/// The index from a conversation to its messages.
pub(crate) const CONVERSATION_INDEX: &str = "conversation";

impl Store {
    /// Creates the table if it is not there, as `infra/template.yaml` does on AWS.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database refuses.
    pub async fn create_table(&self) -> Result<()> {
        let wrong = |_| Error::Corrupt { kind: "schema" };
        let mut request = self.client().create_table().table_name(self.table());
        for name in ["pk", "sk", "cpk", "csk"] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(wrong)?;
            request = request.attribute_definitions(attribute);
        }
        let index = GlobalSecondaryIndex::builder()
            .index_name(CONVERSATION_INDEX)
            .set_key_schema(Some(key_schema("cpk", "csk")?))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .map_err(wrong)?;
        let created = request
            .set_key_schema(Some(key_schema("pk", "sk")?))
            .global_secondary_indexes(index)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match created {
            Ok(_) => self.switch_on_ttl().await,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn switch_on_ttl(&self) -> Result<()> {
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name("ttl")
            .enabled(true)
            .build()
            .map_err(|_| Error::Corrupt { kind: "schema" })?;
        let request = self.client().update_time_to_live().table_name(self.table());
        request.time_to_live_specification(ttl).send().await?;
        Ok(())
    }
}

fn key_schema(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::Corrupt { kind: "schema" })
}
