//! A world in which processes die one after the other, with a check of all orders in between.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection};
use reqwest::Method;
use testkit::eventually;
use testkit::processes::Process;
use testkit::world::{Order, World, order_body};
use uuid::Uuid;

use super::super::ledger::{LONG, balance, counter, stop_services};
use super::points::{Bait, Point, Program};

/// A shell's exit code for a process that ended by SIGABRT.
const ABORTED: i32 = 128 + 6;

/// The queues that have to be empty in the end.
const QUEUES: [&str; 4] = [
    "processingorders",
    "processedorders",
    "processingorders.retry.10",
    "processingorders.retry.20",
];

const LEAVE_BEHIND: &str = "
    with placed as (
        insert into orders (id, customer_id, product_id, total_minor, quantity, currency)
        values ($1, 1, 1, 19900, 1, 'USD')
    )
    insert into outbox (leased_until, orders, order_ids, request_ids, traceparents)
    values ('-infinity', 1, array[$1], array['left-behind'], array[null::text])";

/// Returns the number of unfinished orders; and of orders with a wrong status or charge, that are
/// missing, or that no test placed.
const LEDGER: &str = "
    select (select count(*) from orders where status = 'Pending') + (select count(*) from outbox),
           (select count(*)
              from unnest($1::uuid[], $2::text[]) as e (id, ending)
              full join orders o using (id)
              left join payments.payments p on p.order_id = id
              left join (select order_id, count(*) as n from simulated_gateway.captures group by 1) c
                     on c.order_id = id
             where o.status::text is distinct from ending
                or p.status::text is distinct from
                   case ending when 'Confirmed' then 'captured' else 'declined' end
                or coalesce(c.n, 0) <> case ending when 'Confirmed' then 1 else 0 end)";

const BEGUN: &str = "
    select count(*) from payments.payments where order_id = any($1) and status = 'started'";

/// A world with one process of each kind, and the expected end of every order and message.
pub(super) struct Stage {
    world: World,
    broker: (Connection, Channel),
    orders: RefCell<Vec<(Order, &'static str)>>,
    nonsense: RefCell<BTreeSet<Vec<u8>>>,
    keys: Cell<usize>,
}

impl Stage {
    pub(super) async fn open() -> Stage {
        let world = World::builder()
            .env("RUST_LOG", "warn")
            .env("POSTGRES_POOL_MAX", "4")
            .order_management_env("HTTP_WORKERS", "1")
            .order_management_env("OUTBOX_SWEEP_MS", "20")
            .worker_env("GATEWAY_LATENCY_MS", "0")
            .worker_env("RETRY_DELAYS_MS", "10,20")
            .start()
            .await;
        let broker = world.channel().await;
        Stage {
            world,
            broker,
            orders: RefCell::default(),
            nonsense: RefCell::default(),
            keys: Cell::default(),
        }
    }

    /// One death, then a start without the setting.
    pub(super) async fn one(&self, point: Point) {
        self.start(point.program, Some(point)).await;
        tokio::join!(self.lead_to(point), self.dies_at(point, None));
        self.in_balance().await;
    }

    /// Two deaths. Those of one program follow each other; with two programs both are armed from
    /// the start.
    pub(super) async fn two(&self, first: Point, second: Point) {
        self.start(first.program, Some(first)).await;
        if first.program == second.program {
            let deaths = async {
                self.dies_at(first, Some(second)).await;
                // A client that waits for its answer since the first death may cause the second
                // one.
                tokio::join!(self.lead_to(second), self.dies_at(second, None));
            };
            tokio::join!(self.lead_to(first), deaths);
        } else {
            self.start(second.program, Some(second)).await;
            let deaths =
                async { tokio::join!(self.dies_at(first, None), self.dies_at(second, None)) };
            tokio::join!(self.lead_to(first), self.lead_to(second), deaths);
        }
        self.in_balance().await;
    }

    /// Kills the running process, and starts it with the crash point.
    async fn start(&self, program: Program, armed: Option<Point>) {
        let process = self.process(program);
        process.sigkill().await.unwrap();
        let mut variables = Vec::new();
        let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
        if let Some(point) = armed {
            set("CRASH_AT", point.name);
            if point.bait == Bait::Stop {
                // A message is unacked when the drain time is over.
                set("DRAIN_TIMEOUT_MS", "200");
                set("GATEWAY_LATENCY_MS", "600000");
                set("GATEWAY_TIMEOUT_MS", "600000");
            }
        }
        process.start_again_with(&variables).unwrap();
    }

    fn process(&self, program: Program) -> &Process {
        match program {
            Program::OrderManagement => self.world.order_management(0),
            Program::Worker => self.world.worker(0),
        }
    }

    /// Waits until the process dies at this point, and starts it again at once.
    async fn dies_at(&self, point: Point, next: Option<Point>) {
        let process = self.process(point.program);
        let exit = process.wait_exit(LONG).await.unwrap();
        let log = process.log();
        assert_eq!(exit.code(), Some(ABORTED), "{point:?}: {}", process.log_tail());
        let died = format!("died at the crash point {}", point.name);
        assert!(log.lines().rev().take(5).any(|line| line == died), "{}", process.log_tail());
        self.start(point.program, next).await;
    }

    /// Causes the events that lead to the crash point.
    async fn lead_to(&self, point: Point) {
        let (paid, _) = tokio::join!(
            self.place("pm_card_visa", "Confirmed"),
            self.place("pm_card_chargeDeclined", "Canceled")
        );
        match (point.bait, point.program) {
            (Bait::Orders, _) => {}
            (Bait::LeftBehind, _) => self.leave_behind().await,
            (Bait::Unknown, _) => drop(self.place("pm_card_errorsTwice", "Confirmed").await),
            (Bait::Nonsense, Program::OrderManagement) => self.nonsense("processedorders").await,
            (Bait::Nonsense, Program::Worker) => self.nonsense("processingorders").await,
            (Bait::Stop, program) => self.stop(program, paid).await,
        }
    }

    /// A client that repeats its order under its key until it has its `201`.
    async fn place(&self, method: &str, end: &'static str) -> Uuid {
        self.keys.set(self.keys.get() + 1);
        let key = format!("key-{}", self.keys.get());
        let order = eventually("a 201", LONG, async || {
            let request = self.world.http().request(Method::POST, self.world.url(0, "/orders"));
            let request = request.header("Idempotency-Key", &key).json(&order_body(method));
            let reply = self.world.try_send(request).await.map_err(|error| error.to_string())?;
            if reply.status == 201 { Ok(Order::from_json(reply.json())) } else { Err(reply.text) }
        });
        let order = order.await;
        let id = order.id;
        self.orders.borrow_mut().push((order, end));
        id
    }

    async fn leave_behind(&self) {
        let id = Uuid::now_v7();
        self.world.sql_with(LEAVE_BEHIND, &[&id]).await;
        let json = serde_json::json!({"id": id.to_string(), "status": "Pending"});
        self.orders.borrow_mut().push((Order::from_json(json), "Confirmed"));
    }

    async fn nonsense(&self, queue: &str) {
        let body = format!("nonsense {}", Uuid::now_v7()).into_bytes();
        self.world.publish_raw(queue, &body, BasicProperties::default()).await;
        self.nonsense.borrow_mut().insert(body);
    }

    /// Sends SIGTERM; to a worker only once it has an unacked charge that will not end.
    async fn stop(&self, program: Program, order: Uuid) {
        let process = self.process(program);
        process.ready(LONG).await.unwrap();
        if program == Program::Worker {
            eventually("a charge to be unacked", LONG, async || {
                self.world.sql_with(BEGUN, &[&vec![order]]).await[0].get::<_, i64>(0) == 1
            })
            .await;
        }
        process.sigterm().unwrap();
    }

    /// Waits until every order has its expected end, and no message waits.
    async fn in_balance(&self) {
        let (ids, ends): (Vec<Uuid>, Vec<&str>) =
            self.orders.borrow().iter().map(|(order, end)| (order.id, *end)).unzip();
        let wrong = eventually("every order to end", LONG, async || {
            let ledger = self.world.sql_with(LEDGER, &[&ids, &ends]).await;
            match (ledger[0].get::<_, i64>(0), ledger[0].get::<_, i64>(1)) {
                (0, wrong) => Ok(wrong),
                unfinished => Err(unfinished),
            }
        });
        assert_eq!(wrong.await, 0, "orders ended otherwise than they had to");
        eventually("the queues to be empty", LONG, async || self.waiting().await).await;
    }

    /// The messages that wait in the queues or are unacked.
    async fn under_way(&self) -> Result<(), String> {
        self.waiting().await?;
        for process in self.world.processes() {
            let url = process.ops_url("/metrics");
            let unacked = counter(&self.world, url, "ordermill_messages_unacked").await;
            if unacked > 0.0 {
                return Err(format!("{unacked} unacked at {}", process.name()));
            }
        }
        Ok(())
    }

    /// The messages that wait in the queues.
    async fn waiting(&self) -> Result<(), String> {
        for queue in QUEUES {
            let look = QueueDeclareOptions { passive: true, ..Default::default() };
            let channel = &self.broker.1;
            let queue = channel.queue_declare(queue.into(), look, FieldTable::default()).await;
            let queue = queue.unwrap();
            if queue.message_count() > 0 {
                return Err(format!("{} in {}", queue.message_count(), queue.name()));
            }
        }
        Ok(())
    }

    /// Stops both processes with SIGTERM; no message was unacked, and the dead letters are exactly
    /// the unreadable messages.
    pub(super) async fn close(self) {
        self.world.ready_within(LONG).await;
        let mut quiet = 0;
        eventually("no message to be under way", LONG, async || {
            let busy = self.under_way().await;
            // A message that was delivered this moment is in no count yet.
            quiet = if busy.is_ok() { quiet + 1 } else { 0 };
            busy.and_then(|()| if quiet > 1 { Ok(()) } else { Err("a second look".to_owned()) })
        })
        .await;
        stop_services(&self.world).await;
        // A requeued message is in its queue a moment after the end of its consumer.
        eventually("the queues to be empty", LONG, async || self.waiting().await).await;
        let orders: Vec<Order> = self.orders.borrow().iter().map(|(o, _)| o.clone()).collect();
        balance(&self.world, &orders).await;
        let mut dead = BTreeSet::new();
        for queue in ["processingorders.dead", "processedorders.dead"] {
            let messages = self.world.messages_in(queue).await;
            dead.extend(messages.into_iter().map(|message| message.delivery.data));
        }
        assert_eq!(dead, *self.nonsense.borrow());
    }
}
