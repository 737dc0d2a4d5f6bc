//! Catalogs that are connected to business accounts, and their products.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::graph::errors::Error;

/// A catalog as the control plane takes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewCatalog {
    /// Digits; one that there is already is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The business account; that of the first number unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waba_id: Option<String>,
    pub products: Vec<NewProduct>,
    /// So many products are made up.
    pub generate: usize,
}

/// A product as the control plane takes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewProduct {
    pub retailer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A decimal number, in the currency's major unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_price: Option<Value>,
    /// EUR unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
}

impl NewProduct {
    /// The price as an order has it: a number, or nothing that is one.
    pub(crate) fn item_price(&self) -> Value {
        match &self.price {
            Some(Value::String(text)) => text.parse::<Number>().map_or(Value::from(0), Value::Number),
            Some(price) => price.clone(),
            None => Value::from(0),
        }
    }

    pub(crate) fn currency(&self) -> &str {
        self.currency.as_deref().unwrap_or("EUR")
    }

    fn check(&self) -> Result<(), Error> {
        let length = self.retailer_id.chars().count();
        if !(1..=100).contains(&length) {
            return Err(Error::Invalid("retailer_id must have 1 to 100 characters".to_owned()));
        }
        for price in [&self.price, &self.sale_price].into_iter().flatten() {
            let is_number =
                price.is_number() || price.as_str().is_some_and(|text| text.parse::<Number>().is_ok());
            if !is_number {
                return Err(Error::Invalid("price must be a decimal number such as 9.90".to_owned()));
            }
        }
        Ok(())
    }
}

/// A product on the shelf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Product {
    /// The order in which products are listed.
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) told: NewProduct,
}

/// A catalog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The business account that it is connected to.
    pub(crate) account: String,
    /// In the order of their `seq`.
    pub(crate) products: Vec<Product>,
    next: u64,
}

impl Catalog {
    pub(crate) fn new(id: String, name: String, account: String) -> Self {
        Self { id, name, account, products: Vec::new(), next: 1 }
    }

    /// Puts products on the shelf, in the place of those of the same ids.
    pub(crate) fn put(&mut self, products: Vec<NewProduct>) -> Result<(), Error> {
        products.iter().try_for_each(NewProduct::check)?;
        let mut places: BTreeMap<String, usize> =
            self.products.iter().enumerate().map(|(i, one)| (one.told.retailer_id.clone(), i)).collect();
        for told in products {
            match places.get(&told.retailer_id) {
                Some(place) => self.products[*place].told = told,
                None => {
                    let (seq, id) = (self.next, format!("{}{:06}", self.id, self.next));
                    self.next += 1;
                    places.insert(told.retailer_id.clone(), self.products.len());
                    self.products.push(Product { seq, id, told });
                }
            }
        }
        Ok(())
    }

    /// Takes products off the shelf; answers how many there were.
    pub(crate) fn take(&mut self, ids: &[String]) -> usize {
        let before = self.products.len();
        self.products.retain(|product| !ids.contains(&product.told.retailer_id));
        before - self.products.len()
    }

    pub(crate) fn product(&self, retailer_id: &str) -> Option<&NewProduct> {
        self.products.iter().map(|product| &product.told).find(|told| told.retailer_id == retailer_id)
    }
}

/// Products that are made up: `sku-00001` and so on.
pub(crate) fn generated(count: usize) -> impl Iterator<Item = NewProduct> {
    (1..=count).map(|n| NewProduct {
        retailer_id: format!("sku-{n:05}"),
        name: Some(format!("Product {n}")),
        description: Some(format!("The product with the number {n}")),
        price: Some(Value::String(format!("{}.{:02}", 1 + n % 90, n % 100))),
        image_url: Some(format!("https://example.com/products/{n}.jpg")),
        url: Some(format!("https://example.com/products/{n}")),
        ..NewProduct::default()
    })
}

/// All catalogs, by id.
#[derive(Debug, Default)]
pub(crate) struct Catalogs(BTreeMap<String, Catalog>);

impl Catalogs {
    pub(crate) fn put(&mut self, catalog: Catalog) {
        self.0.insert(catalog.id.clone(), catalog);
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Catalog> {
        self.0.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Catalog> {
        self.0.values()
    }

    pub(crate) fn of_account(&self, account: &str) -> impl Iterator<Item = &Catalog> {
        self.all().filter(move |catalog| catalog.account == account)
    }
}
