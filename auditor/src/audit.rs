//! The audit: rounds over the orders that have become old enough, and a slow walk over all orders.

use std::time::{Duration, Instant};

use db::Error;
use db::audit;
use domain::OrderId;

use crate::config::AuditSettings;
use crate::findings::{Assessment, Moment};
use crate::metrics::{AuditMetrics, KindLabels, unix_seconds};
use crate::outbox::OutboxOrders;
use crate::records::Observation;
use crate::rules::Rules;
use crate::sources::{STEP_MAX, Sources};
use crate::state::AuditState;
use crate::walk::{FIRST, LAST, Walk};

/// Largest number of unfinished orders that a round checks again.
const AGAIN_MAX: usize = 10_000;

/// The audit of one installation: sources, results and positions.
#[derive(Debug)]
pub(crate) struct Audit {
    sources: Sources,
    settings: AuditSettings,
    metrics: AuditMetrics,
    state: AuditState,
    in_outbox: OutboxOrders,
    /// The rounds have checked the orders up to this id; `None` before the first round.
    checked_up_to: Option<OrderId>,
    walk: Walk,
}

impl Audit {
    /// An audit without results.
    pub(crate) fn new(sources: Sources, settings: AuditSettings, metrics: AuditMetrics) -> Audit {
        metrics.expose_kinds();
        Audit {
            sources,
            settings,
            metrics,
            state: AuditState::default(),
            in_outbox: OutboxOrders::default(),
            checked_up_to: None,
            walk: Walk::Orders(FIRST),
        }
    }

    /// The results so far.
    pub(crate) fn state(&self) -> &AuditState {
        &self.state
    }

    /// Checks the orders that have become old enough since the last round, and again those that
    /// were unfinished or looked wrong. The first round begins with the overdue orders; older
    /// orders are left to the walk.
    ///
    /// # Errors
    /// If a database does not answer. The results up to that point stay.
    pub(crate) async fn round(&mut self) -> Result<(), Error> {
        let horizon = self.read_clock_and_outbox().await?;
        match self.checked_up_to {
            Some(after) => self.check_range(after, horizon).await?,
            None => {
                self.check_overdue_orders().await?;
                self.checked_up_to = Some(horizon);
            }
        }
        for ids in self.state.unfinished.next(AGAIN_MAX).chunks(step_max()) {
            let observation = self.sources.read(ids, &[]).await?;
            self.assess(&observation);
        }
        self.recheck().await?;
        if self.state.unfinished.has_room_again() {
            self.walk = Walk::Orders(FIRST);
            self.check_overdue_orders().await?;
        }
        self.metrics.round.set(unix_seconds(self.state.now));
        self.metrics.show(&self.state);
        Ok(())
    }

    /// Checks the overdue orders and all orders placed less than `ago` before now. Without `ago`,
    /// checks all orders and the whole ledger.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn check_back(&mut self, ago: Option<Duration>) -> Result<(), Error> {
        let horizon = self.read_clock_and_outbox().await?;
        self.check_overdue_orders().await?;
        let Some(ago) = ago else {
            while self.state.walked_at.is_none() {
                self.step().await?;
            }
            return Ok(());
        };
        let after = audit::horizon(&self.sources.shop, ago).await?.id;
        self.check_range(after, horizon).await
    }

    /// Checks suspicions that are old enough a second time, and all violations again.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn recheck(&mut self) -> Result<(), Error> {
        let grace = self.settings.grace;
        let (ids, keys) = self.state.findings.due(self.moment(), grace);
        for ids in ids.chunks(step_max()) {
            let observation = self.sources.read(ids, &keys).await?;
            let (rules, moment) = (self.rules(), self.moment());
            for (id, records) in &observation {
                let kinds = rules.violations(*id, records, self.in_outbox.may_contain(*id));
                let assessment = Assessment { id: *id, records, violations: &kinds };
                let change = self.state.findings.recheck(&assessment, moment, grace);
                for kind in change.found {
                    let kind = kind.as_str();
                    self.metrics.found.get_or_create(&KindLabels { kind }).inc();
                    log::error!(order_id:% = id, kind; "violation found");
                }
                for kind in change.gone {
                    log::info!(order_id:% = id, kind = kind.as_str(); "the violation is gone");
                }
                self.metrics.dropped.inc_by(change.dropped);
            }
        }
        Ok(())
    }

    /// Does one step of the walk over everything, if a step is due. Returns the pause before the
    /// next step; `None` if no step was due.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn step(&mut self) -> Result<Option<Duration>, Error> {
        let limit = STEP_MAX.min(self.settings.rows_per_second);
        let rows = match self.walk.clone() {
            Walk::Waits(until) if Instant::now() < until => return Ok(None),
            Walk::Waits(_) => {
                self.walk = Walk::Orders(FIRST);
                0
            }
            Walk::Orders(after) => {
                let range = self.sources.range(after, LAST, limit).await?;
                self.assess(&range.observation);
                self.walk = match range.reached {
                    LAST => Walk::Ledger(String::new()),
                    reached => Walk::Orders(reached),
                };
                range.observation.len()
            }
            Walk::Ledger(after) => match self.sources.captured_after(&after, limit).await? {
                Some((observation, last)) => {
                    self.assess(&observation);
                    self.walk = Walk::Ledger(last);
                    observation.len()
                }
                None => self.end_walk(),
            },
        };
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let pause = f64::from(rows) / f64::from(self.settings.rows_per_second);
        Ok(Some(Duration::from_secs_f64(pause)))
    }

    fn end_walk(&mut self) -> usize {
        self.walk = Walk::Waits(Instant::now() + self.settings.full_every);
        self.state.walked_at = Some(self.state.now);
        self.metrics.full_walk.set(unix_seconds(self.state.now));
        0
    }

    /// Reads the database's clock and the outbox. Orders below the returned id are old enough to
    /// check.
    async fn read_clock_and_outbox(&mut self) -> Result<OrderId, Error> {
        let horizon = audit::horizon(&self.sources.shop, self.settings.grace).await?;
        self.state.now = horizon.now;
        (self.in_outbox, self.state.outbox) = OutboxOrders::read(&self.sources.shop).await?;
        Ok(horizon.id)
    }

    async fn check_range(&mut self, mut after: OrderId, up_to: OrderId) -> Result<(), Error> {
        while after < up_to {
            let range = self.sources.range(after, up_to, STEP_MAX).await?;
            self.assess(&range.observation);
            let mut key = after.to_string();
            while let Some((observation, last)) = self.sources.orphans(&key, &range).await? {
                self.assess(&observation);
                key = last;
            }
            after = range.reached;
            self.checked_up_to = self.checked_up_to.map(|_| after);
        }
        Ok(())
    }

    async fn check_overdue_orders(&mut self) -> Result<(), Error> {
        let mut after = FIRST;
        loop {
            let shop = &self.sources.shop;
            let overdue = audit::overdue_orders(shop, after, i64::from(STEP_MAX)).await?;
            let Some(last) = overdue.last() else { return Ok(()) };
            after = *last;
            let observation = self.sources.read(&overdue, &[]).await?;
            if !self.assess(&observation) {
                return Ok(());
            }
        }
    }

    /// Applies the rules to an observation. Returns `false` if the list of unfinished orders is
    /// full.
    fn assess(&mut self, observation: &Observation) -> bool {
        let (rules, moment) = (self.rules(), self.moment());
        let (now, grace) = (self.state.now, self.settings.grace);
        let (mut dropped, mut room) = (0, true);
        for (id, records) in observation {
            let in_outbox = self.in_outbox.may_contain(*id);
            let kinds = rules.violations(*id, records, in_outbox);
            let assessment = Assessment { id: *id, records, violations: &kinds };
            dropped += self.state.findings.suspect(&assessment, moment);
            let old = |since| now - since >= grace;
            let unfinished = rules.unfinished(records, in_outbox);
            let unfinished = unfinished.filter(|unfinished| unfinished.since().is_some_and(old));
            if !self.state.unfinished.note(*id, unfinished) {
                room = false;
                dropped += 1;
            }
        }
        self.metrics.dropped.inc_by(dropped);
        let orders = observation.values().filter(|records| records.order.is_some()).count();
        self.metrics.orders_checked.inc_by(u64::try_from(orders).unwrap_or(u64::MAX));
        room
    }

    fn rules(&self) -> Rules {
        let AuditSettings { overdue, ledger, .. } = self.settings;
        Rules { now: self.state.now, overdue, ledger }
    }

    fn moment(&self) -> Moment {
        Moment { instant: Instant::now(), at: self.state.now }
    }
}

fn step_max() -> usize {
    usize::try_from(STEP_MAX).unwrap_or(1)
}
