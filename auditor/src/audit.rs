//! The audit: rounds over what has become old enough, and a slow walk over everything.

mod show;
mod walk;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::metrics::AuditMetrics;
use db::Error;
use db::audit::{self, Outbox};
use domain::OrderId;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::AuditSettings;
use crate::findings::{Findings, Moment, Sighting};
use crate::judge::Rules;
use crate::look::{Observation, STEP_MAX, Sources};
use crate::unfinished::Standing;
use show::{label, seconds};
use walk::Walk;

/// How many unfinished orders a round looks at again.
const AGAIN_MAX: usize = 10_000;
/// How many rows of the outbox are counted.
const OUTBOX_ROWS_MAX: i64 = 10_000;
/// How many orders of the outbox are read, to tell what a pending order waits for.
const OUTBOX_ORDERS_MAX: i64 = 100_000;

/// Below and above every order.
const FIRST: OrderId = OrderId(Uuid::nil());
const LAST: OrderId = OrderId(Uuid::max());

/// What an auditor knows, and how far he is.
#[derive(Debug)]
pub(crate) struct Audit {
    sources: Sources,
    settings: AuditSettings,
    metrics: AuditMetrics,
    pub(crate) findings: Findings,
    pub(crate) standing: Standing,
    pub(crate) outbox: Outbox,
    in_outbox: HashSet<OrderId>,
    /// By the database's clock.
    pub(crate) now: OffsetDateTime,
    /// When the last walk over everything ended.
    pub(crate) walked_at: Option<OffsetDateTime>,
    young: Option<OrderId>,
    walk: Walk,
}

impl Audit {
    /// Knows nothing yet.
    pub(crate) fn new(sources: Sources, settings: AuditSettings, metrics: AuditMetrics) -> Audit {
        show::none_found(&metrics);
        Audit {
            sources,
            settings,
            metrics,
            findings: Findings::default(),
            standing: Standing::default(),
            outbox: Outbox::default(),
            in_outbox: HashSet::new(),
            now: OffsetDateTime::UNIX_EPOCH,
            walked_at: None,
            young: None,
            walk: Walk::Orders(FIRST),
        }
    }

    /// Looks at what has become old enough since the last round, and again at what had not ended or
    /// was wrong. The first round begins with the late orders; what is older is the walk's.
    ///
    /// # Errors
    /// If a database does not answer; what was seen until then stays known.
    pub(crate) async fn round(&mut self) -> Result<(), Error> {
        let horizon = self.look_at_the_clock().await?;
        match self.young {
            Some(after) => self.ranges(after, horizon).await?,
            None => {
                self.late_orders().await?;
                self.young = Some(horizon);
            }
        }
        for ids in self.standing.next(AGAIN_MAX).chunks(usize::try_from(STEP_MAX).unwrap_or(1)) {
            let observation = self.sources.of(ids, &[]).await?;
            self.judge(&observation);
        }
        self.look_again().await?;
        if self.standing.has_room_again() {
            self.walk = Walk::Orders(FIRST);
            self.late_orders().await?;
        }
        self.metrics.round.set(seconds(self.now));
        self.show();
        Ok(())
    }

    /// Looks at everything placed `ago` or later, and at what was taken under all keys if `ago` is
    /// nothing.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn look_back(&mut self, ago: Option<Duration>) -> Result<(), Error> {
        let horizon = self.look_at_the_clock().await?;
        self.late_orders().await?;
        let Some(ago) = ago else {
            while self.walked_at.is_none() {
                self.step().await?;
            }
            return Ok(());
        };
        let after = audit::horizon(&self.sources.shop, ago).await?.id;
        self.ranges(after, horizon).await
    }

    /// The second look at what seemed wrong.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn look_again(&mut self) -> Result<(), Error> {
        let (ids, keys) = self.findings.due(self.moment(), self.settings.grace);
        let step = usize::try_from(STEP_MAX).unwrap_or(1);
        for ids in ids.chunks(step) {
            let observation = self.sources.of(ids, &keys).await?;
            let (bench, moment) = (self.bench(), self.moment());
            for (id, seen) in &observation {
                let kinds = bench.violations(*id, seen, self.waits_in_outbox(*id));
                let sighting = Sighting { id: *id, seen, kinds: &kinds };
                let grace = self.settings.grace;
                let change = self.findings.look_again(&sighting, moment, grace);
                for kind in change.found {
                    self.metrics.found.get_or_create(&label(kind.as_str())).inc();
                    log::error!(order_id:% = id, kind = kind.as_str(); "the books do not agree");
                }
                for kind in change.gone {
                    log::info!(order_id:% = id, kind = kind.as_str(); "the violation is gone");
                }
                self.metrics.dropped.inc_by(change.dropped);
            }
        }
        Ok(())
    }

    /// Takes the time and what waits in the outbox. Orders below the answer are old enough.
    async fn look_at_the_clock(&mut self) -> Result<OrderId, Error> {
        let horizon = audit::horizon(&self.sources.shop, self.settings.grace).await?;
        self.now = horizon.now;
        self.outbox = audit::outbox(&self.sources.shop, OUTBOX_ROWS_MAX).await?;
        self.in_outbox = audit::outbox_orders(&self.sources.shop, OUTBOX_ORDERS_MAX).await?;
        Ok(horizon.id)
    }

    async fn ranges(&mut self, mut after: OrderId, up_to: OrderId) -> Result<(), Error> {
        while after < up_to {
            let range = self.sources.range((after, up_to), STEP_MAX).await?;
            self.judge(&range.observation);
            let mut key = after.to_string();
            while let Some((observation, last)) = self.sources.orphans((&key, &range)).await? {
                self.judge(&observation);
                key = last;
            }
            after = range.reached;
            self.young = self.young.map(|_| after);
        }
        Ok(())
    }

    async fn late_orders(&mut self) -> Result<(), Error> {
        let mut after = FIRST;
        loop {
            let late = audit::late_orders(&self.sources.shop, after, i64::from(STEP_MAX)).await?;
            let Some(last) = late.last() else { return Ok(()) };
            after = *last;
            let observation = self.sources.of(&late, &[]).await?;
            if !self.judge(&observation) {
                return Ok(());
            }
        }
    }

    /// Judges what was seen. `false` if not all that is unfinished can be remembered.
    fn judge(&mut self, observation: &Observation) -> bool {
        let (bench, moment) = (self.bench(), self.moment());
        let (mut dropped, mut room) = (0, true);
        for (id, seen) in observation {
            let in_outbox = self.waits_in_outbox(*id);
            let kinds = bench.violations(*id, seen, in_outbox);
            let sighting = Sighting { id: *id, seen, kinds: &kinds };
            dropped += self.findings.suspect(&sighting, moment);
            let old = |since| self.now - since >= self.settings.grace;
            let unfinished = bench.unfinished(seen, in_outbox).filter(|unfinished| {
                unfinished.pending.map(|(_, since)| since).or(unfinished.unknown).is_some_and(old)
            });
            if !self.standing.note(*id, unfinished) {
                room = false;
                dropped += 1;
            }
        }
        self.metrics.dropped.inc_by(dropped);
        let orders = observation.values().filter(|seen| seen.order.is_some()).count();
        self.metrics.orders_checked.inc_by(u64::try_from(orders).unwrap_or(u64::MAX));
        room
    }

    /// Of a longer outbox than was read, what is not begun may well be in it.
    fn waits_in_outbox(&self, id: OrderId) -> bool {
        let cut_off = i64::try_from(self.in_outbox.len()).is_ok_and(|n| n >= OUTBOX_ORDERS_MAX);
        cut_off || self.in_outbox.contains(&id)
    }

    fn bench(&self) -> Rules {
        Rules { now: self.now, overdue: self.settings.overdue, books: self.settings.books }
    }

    fn moment(&self) -> Moment {
        Moment { instant: Instant::now(), at: self.now }
    }
}
