//! The two stations in front of the payment tables.

use common::domain::Verdict;
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Station};
use db::payments::{Finishing, Started, Starting};
use db::{Db, payments};

#[derive(Debug)]
pub(super) struct Start(pub(super) Db);

impl Station for Start {
    const NAME: &'static str = "charge_start";
    type Item = Starting;
    type Done = Started;
    type Fault = db::Error;

    async fn run(&self, batch: &[Starting]) -> Result<Vec<Started>, db::Error> {
        let started = payments::start(&self.0, batch).await?;
        reach(CrashPoint::ChargeStarted);
        Ok(started)
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}

#[derive(Debug)]
pub(super) struct Finish(pub(super) Db);

impl Station for Finish {
    const NAME: &'static str = "charge_finish";
    type Item = Finishing;
    type Done = Verdict;
    type Fault = db::Error;

    async fn run(&self, batch: &[Finishing]) -> Result<Vec<Verdict>, db::Error> {
        reach(CrashPoint::ChargeAnswered);
        let finished = payments::finish(&self.0, batch).await?;
        reach(CrashPoint::ChargeFinished);
        Ok(finished)
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}
