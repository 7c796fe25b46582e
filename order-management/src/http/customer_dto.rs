//! A customer in requests and answers.

use domain::{Customer, CustomerChange, NewCustomer, rfc3339};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::input::{Fields, given};

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerBody {
    /// The name, on one line.
    #[schema(
        example = "Leia Organa",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        required = true,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    /// The mail address.
    #[schema(
        example = "leia@alderaan.com",
        max_length = 254,
        pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$",
        required = true,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    email: Option<String>,
}

/// A change of a customer; a field that is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerPatch {
    /// The new name.
    #[schema(
        example = "Leia Organa Solo",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    /// The new mail address.
    #[schema(
        example = "leia@newrepublic.org",
        max_length = 254,
        pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$",
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    email: Option<String>,
}

impl CustomerBody {
    /// The new customer, checked. Invalid fields are noted in `fields`.
    pub(super) fn validate(&self, fields: &mut Fields) -> Option<NewCustomer> {
        let name = fields.required("name", self.name.as_deref());
        let email = fields.required("email", self.email.as_deref());
        Some(NewCustomer { name: name?, email: email? })
    }
}

impl CustomerPatch {
    /// The change, checked. Invalid fields are noted in `fields`.
    pub(super) fn validate(&self, fields: &mut Fields) -> CustomerChange {
        CustomerChange {
            name: fields.optional("name", self.name.as_deref()),
            email: fields.optional("email", self.email.as_deref()),
        }
    }
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerView {
    /// The id.
    #[schema(example = "1")]
    id: String,
    /// The name.
    #[schema(example = "Luke Skywalker")]
    name: String,
    /// The mail address.
    #[schema(example = "mail@naboo.com")]
    email: String,
    /// Time at which the customer was stored, RFC 3339, UTC.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    created_at: OffsetDateTime,
    /// Time of the last change.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    updated_at: OffsetDateTime,
    /// Time at which the customer was archived; left out if it is not.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime, required = false)]
    #[serde(serialize_with = "rfc3339::serialize_option", skip_serializing_if = "Option::is_none")]
    archived_at: Option<OffsetDateTime>,
}

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> CustomerView {
        CustomerView {
            id: customer.id.to_string(),
            name: customer.name.as_str().to_owned(),
            email: customer.email.as_str().to_owned(),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            archived_at: customer.archived_at,
        }
    }
}
