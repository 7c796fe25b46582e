//! The batch handlers in front of the payment tables.

use batcher::BatchHandler;
use db::payments;
use db::payments::{FinishPayment, ScheduledCopy, StartOutcome, StartPayment, Unanswered};
use domain::{PaymentId, Verdict};
use messages::PaymentRequest;
use service::crash_point::reach;

use super::attempt::PaymentStore;
use crate::crash_points;

/// The start of a payment, as the request asks for it.
pub(super) fn start_payment(request: &PaymentRequest) -> StartPayment {
    StartPayment {
        order_id: request.order_id,
        payment_id: PaymentId::new(),
        amount: request.total,
        currency: request.currency,
        payment_method: request.payment_method.clone(),
    }
}

/// Records payments as started.
#[derive(Debug)]
pub(super) struct StartBatch(pub(super) PaymentStore);

impl BatchHandler for StartBatch {
    const NAME: &'static str = "charge_start";
    type Item = StartPayment;
    type Output = StartOutcome;
    type Error = db::Error;

    async fn run(&self, batch: &[StartPayment]) -> Result<Vec<StartOutcome>, db::Error> {
        let started = payments::start(&self.0.db, &self.0.worker, batch, self.0.grace).await?;
        reach(crash_points::CHARGE_STARTED);
        Ok(started)
    }

    fn may_blame_an_item(error: &db::Error) -> bool {
        matches!(error, db::Error::Refused(_))
    }
}

/// Records verdicts.
#[derive(Debug)]
pub(super) struct FinishBatch(pub(super) PaymentStore);

impl BatchHandler for FinishBatch {
    const NAME: &'static str = "charge_finish";
    type Item = FinishPayment;
    type Output = Verdict;
    type Error = db::Error;

    async fn run(&self, batch: &[FinishPayment]) -> Result<Vec<Verdict>, db::Error> {
        reach(crash_points::CHARGE_ANSWERED);
        let finished = payments::finish(&self.0.db, &self.0.worker, batch).await?;
        reach(crash_points::CHARGE_FINISHED);
        Ok(finished)
    }

    fn may_blame_an_item(error: &db::Error) -> bool {
        matches!(error, db::Error::Refused(_))
    }
}

/// Notes the copies of requests that wait in retry queues.
#[derive(Debug)]
pub(super) struct NoteScheduled(pub(super) PaymentStore);

impl BatchHandler for NoteScheduled {
    const NAME: &'static str = "note_scheduled";
    type Item = ScheduledCopy;
    type Output = ();
    type Error = db::Error;

    async fn run(&self, batch: &[ScheduledCopy]) -> Result<Vec<()>, db::Error> {
        payments::note_scheduled(&self.0.db, batch).await?;
        Ok(vec![(); batch.len()])
    }

    fn may_blame_an_item(error: &db::Error) -> bool {
        matches!(error, db::Error::Refused(_))
    }
}

/// Notes gateway calls without an answer. The caller does not wait: a note that cannot be stored is
/// lost, and no order is delayed.
#[derive(Debug)]
pub(super) struct NoteUnanswered(pub(super) PaymentStore);

impl BatchHandler for NoteUnanswered {
    const NAME: &'static str = "note_unanswered";
    type Item = Unanswered;
    type Output = ();
    type Error = db::Error;

    async fn run(&self, batch: &[Unanswered]) -> Result<Vec<()>, db::Error> {
        let noted = payments::note_unanswered(&self.0.db, &self.0.worker, batch).await;
        noted.inspect_err(|error| log::warn!("calls without an answer are not noted: {error}"))?;
        Ok(vec![(); batch.len()])
    }

    fn may_blame_an_item(_: &db::Error) -> bool {
        false
    }
}
