//! Asking the gateway, for as long as one is patient.

use common::domain::{GatewayCall, Verdict};
use common::runtime::CrashPoint;
use common::runtime::crash_point::reach;
use db::payments::Unanswered;

use super::{ChargeError, Charges};
use crate::gateway::{Asked, Charge};

impl Charges {
    /// Moves the money, if it has not moved.
    pub(super) async fn charge_under_key(
        &self,
        charge: &Charge,
        attempt: i32,
    ) -> Result<Verdict, ChargeError> {
        self.ask((charge, attempt, GatewayCall::Charge), self.gateway.charge(charge)).await
    }

    /// The gateway's answer, if it comes in time. That none came is noted down if there is room.
    pub(super) async fn ask<T>(
        &self,
        (charge, attempt, call): (&Charge, i32, GatewayCall),
        answer: impl Future<Output = Asked<T>>,
    ) -> Result<T, ChargeError> {
        reach(CrashPoint::ChargeAsking);
        let why = match tokio::time::timeout(self.limits.timeout, answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why.0,
            Err(_) => "no answer in time",
        };
        let unanswered = Unanswered { order_id: charge.order_id, attempt, call, why };
        self.note_unanswered.leave_all(vec![unanswered]);
        Err(ChargeError::NoVerdict(why))
    }
}
