//! The objects of the bodies, as serde reads and writes them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::json_amount::ExactNumber;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestOnWire<'a> {
    #[serde(borrow)]
    pub(super) order_id: Cow<'a, str>,
    pub(super) total_price: ExactNumber,
    #[serde(borrow)]
    pub(super) currency: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) customer_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) payment_method: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultOnWire<'a> {
    #[serde(borrow)]
    pub(super) order_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) payment_status: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) payment_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<Cow<'a, str>>,
}
