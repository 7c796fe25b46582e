//! The stations in front of the payment tables.

use common::domain::{PaymentId, Verdict, WorkerName};
use common::message::PaymentRequest;
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Station};
use db::payments::{Finishing, Started, Starting, Unanswered};
use db::{Db, payments};

#[derive(Debug)]
pub(super) struct Start(pub(super) Db, pub(super) WorkerName);

impl Start {
    pub(super) fn item(request: &PaymentRequest) -> Starting {
        Starting {
            order_id: request.order_id,
            payment_id: PaymentId::new(),
            amount: request.total,
            currency: request.currency,
            payment_method: request.payment_method.clone(),
        }
    }
}

impl Station for Start {
    const NAME: &'static str = "charge_start";
    type Item = Starting;
    type Done = Started;
    type Fault = db::Error;

    async fn run(&self, batch: &[Starting]) -> Result<Vec<Started>, db::Error> {
        let started = payments::start(&self.0, &self.1, batch).await?;
        reach(CrashPoint::ChargeStarted);
        Ok(started)
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}

#[derive(Debug)]
pub(super) struct Finish(pub(super) Db, pub(super) WorkerName);

impl Station for Finish {
    const NAME: &'static str = "charge_finish";
    type Item = Finishing;
    type Done = Verdict;
    type Fault = db::Error;

    async fn run(&self, batch: &[Finishing]) -> Result<Vec<Verdict>, db::Error> {
        reach(CrashPoint::ChargeAnswered);
        let finished = payments::finish(&self.0, &self.1, batch).await?;
        reach(CrashPoint::ChargeFinished);
        Ok(finished)
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}

/// Nobody waits for this one: what it cannot store is lost, and no order is held up.
#[derive(Debug)]
pub(super) struct NoteUnanswered(pub(super) Db, pub(super) WorkerName);

impl Station for NoteUnanswered {
    const NAME: &'static str = "note_unanswered";
    type Item = Unanswered;
    type Done = ();
    type Fault = db::Error;

    async fn run(&self, batch: &[Unanswered]) -> Result<Vec<()>, db::Error> {
        let noted = payments::note_unanswered(&self.0, &self.1, batch).await;
        noted.inspect_err(|error| log::warn!("calls without an answer are not noted: {error}"))?;
        Ok(vec![(); batch.len()])
    }

    fn may_blame_an_item(_: &db::Error) -> bool {
        false
    }
}
