use std::time::Duration;

use db::logs::{self, Days, Entry, Level, Query};
use db::{Db, Error, Migrations, Settings, migrate};
use domain::OrderId;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use super::store::Store;

async fn store() -> Store {
    let store = Store::fresh().await;
    migrate(&store.settings, Migrations::Logs).await.unwrap();
    store
}

async fn now(store: &Store) -> OffsetDateTime {
    store.look.query_one("select now()", &[]).await.unwrap().get(0)
}

fn line(logged_at: OffsetDateTime, sequence: i64) -> Entry {
    Entry {
        logged_at,
        instance: "here-1".to_owned(),
        sequence,
        service: "shop".to_owned(),
        level: Level::Info,
        target: "order".to_owned(),
        message: format!("line {sequence}"),
        order_ids: Vec::new(),
        request_ids: Vec::new(),
        trace_ids: Vec::new(),
        fields: "{}".to_owned(),
    }
}

async fn read(store: &Store, query: Query) -> Vec<i64> {
    let lines = logs::read(&store.db, &query).await.unwrap().rows;
    lines.iter().map(|line| line.sequence).collect()
}

#[tokio::test]
async fn a_line_is_stored_once_and_read_as_it_was() {
    let store = store().await;
    let now = now(&store).await;
    logs::keep(&store.db, 7, &[]).await.unwrap();
    let full = Entry {
        order_ids: vec![OrderId::new(), OrderId::new()],
        request_ids: vec!["a,b".to_owned(), "\\N".to_owned()],
        trace_ids: vec!["0af7651916cd43dd8448eb211c80319c".to_owned()],
        fields: r#"{"size": 3}"#.to_owned(),
        ..line(now, 1)
    };
    let lines = [full.clone(), line(now, 2), full.clone()];
    logs::insert(&store.db, &lines).await.unwrap();
    logs::insert(&store.db, &lines).await.unwrap();

    let found = logs::read(&store.db, &Query::default()).await.unwrap().rows;
    assert_eq!(found, [full, line(now, 2)]);
}

#[tokio::test]
async fn lines_are_found_by_what_they_are_about_and_how_bad_they_are() {
    let store = store().await;
    let now = now(&store).await;
    // Yesterday, for an hour of each day.
    let an_hour_ago = now - Duration::from_secs(3600);
    let wanted = [an_hour_ago.to_offset(time::UtcOffset::UTC).date()];
    logs::keep(&store.db, 7, &wanted).await.unwrap();
    let order = OrderId::new();
    let lines = [
        Entry { order_ids: vec![OrderId::new(), order], ..line(now, 1) },
        Entry { request_ids: vec!["r".to_owned()], level: Level::Debug, ..line(now, 2) },
        Entry { trace_ids: vec!["t".to_owned()], level: Level::Warn, ..line(now, 3) },
        Entry { service: "worker".to_owned(), level: Level::Error, ..line(now, 4) },
        Entry { order_ids: vec![order], request_ids: vec!["r".to_owned()], ..line(an_hour_ago, 5) },
    ];
    logs::insert(&store.db, &lines).await.unwrap();
    let any = Query::default;
    assert_eq!(read(&store, any()).await, [5, 1, 2, 3, 4]);
    assert_eq!(read(&store, Query { order: Some(order), ..any() }).await, [5, 1]);
    let request = Some("r".to_owned());
    assert_eq!(read(&store, Query { request: request.clone(), ..any() }).await, [5, 2]);
    let both = Query { order: Some(order), request, ..any() };
    assert_eq!(read(&store, both).await, [5]);
    assert_eq!(read(&store, Query { trace: Some("t".to_owned()), ..any() }).await, [3]);
    assert_eq!(read(&store, Query { level: Level::Info, ..any() }).await, [5, 1, 3, 4]);
    assert_eq!(read(&store, Query { level: Level::Warn, ..any() }).await, [3, 4]);
    assert_eq!(read(&store, Query { level: Level::Error, ..any() }).await, [4]);
    let service = Some("worker".to_owned());
    assert_eq!(read(&store, Query { service, ..any() }).await, [4]);
    let age_max = Some(Duration::from_secs(600));
    assert_eq!(read(&store, Query { age_max, ..any() }).await, [1, 2, 3, 4]);
    let young = Query { order: Some(order), age_max, ..any() };
    assert_eq!(read(&store, young).await, [1]);
    let after = (now, "here-1".to_owned(), 2);
    assert_eq!(read(&store, Query { after, limit: 1, ..any() }).await, [3]);
}

#[tokio::test]
async fn days_are_made_when_they_are_wanted_and_dropped_when_they_are_old() {
    let store = store().await;
    let now = now(&store).await;
    let day = Duration::from_secs(86_400);
    let today = now.to_offset(time::UtcOffset::UTC).date();
    let (old, kept) = ((now - 8 * day).date(), (now - 6 * day).date());
    let make = |day: time::Date| {
        let (name, next) = (day.to_string().replace('-', ""), day.next_day().unwrap());
        format!(
            "create table logs.log_entries_{name} partition of logs.log_entries
                for values from ('{day} 00:00:00+00') to ('{next} 00:00:00+00')"
        )
    };
    store.look.batch_execute(&make(old)).await.unwrap();
    logs::insert(&store.db, &[line(now - 8 * day, 1)]).await.unwrap();

    let (first, last) = ((now - 7 * day).date(), today.next_day().unwrap());
    let far = today.saturating_add(time::Duration::days(9));
    let wanted = [kept, old, far];
    let both = tokio::join!(logs::keep(&store.db, 7, &wanted), logs::keep(&store.db, 7, &wanted));
    assert_eq!(both, (Ok(Days { first, last }), Ok(Days { first, last })));
    let tables = "select count(*) from pg_inherits where inhparent = 'logs.log_entries'::regclass";
    assert_eq!(store.count(tables).await, 3, "the one that was wanted, today and tomorrow");
    assert_eq!(read(&store, Query::default()).await, [0; 0]);

    logs::insert(&store.db, &[line(now - 6 * day, 2), line(now, 3)]).await.unwrap();
    let without_a_day = logs::insert(&store.db, &[line(now - 8 * day, 4)]).await;
    assert!(matches!(without_a_day, Err(Error::Refused(_))), "{without_a_day:?}");
    logs::keep(&store.db, 1, &[]).await.unwrap();
    assert_eq!(read(&store, Query::default()).await, [3]);
}

#[tokio::test]
async fn a_reader_that_takes_hours_keeps_old_days_and_delays_no_new_line() {
    let store = store().await;
    let now = now(&store).await;
    let today = now.to_offset(time::UtcOffset::UTC).date();
    let wanted = [today, today.saturating_add(time::Duration::days(9))];
    let kept = logs::days(&store.db, 7, &wanted).await.unwrap();
    let old = "
        create table logs.log_entries_20260101 partition of logs.log_entries
           for values from ('2026-01-01 00:00:00+00') to ('2026-01-02 00:00:00+00')";
    store.look.batch_execute(old).await.unwrap();
    store.look.batch_execute("begin; select from logs.log_entries").await.unwrap();

    let dropped = logs::keep(&store.db, 7, &[]).await;
    assert!(matches!(dropped, Err(Error::Unavailable(_))), "{dropped:?}");
    assert_eq!(logs::days(&store.db, 7, &wanted).await, Ok(kept));
    logs::insert(&store.db, &[line(now, 1)]).await.unwrap();

    store.look.batch_execute("commit").await.unwrap();
    assert_eq!(logs::keep(&store.db, 7, &[]).await, Ok(kept));
    let old = "select count(*) from pg_class where relname = 'log_entries_20260101'";
    assert_eq!((store.count(old).await, read(&store, Query::default()).await), (0, vec![1]));
}

#[tokio::test]
async fn lines_of_many_days_at_once_get_their_tables_however_little_time_a_statement_has() {
    let store = store().await;
    let today = now(&store).await.to_offset(time::UtcOffset::UTC).date();
    let second = Settings { statement_timeout: Duration::from_secs(1), ..store.settings.clone() };
    let db = Db::new(&second, Handle::current()).unwrap();
    let wanted: Vec<_> = (0..250).map(|n| today - time::Duration::days(n)).collect();

    let kept = logs::days(&db, 3650, &wanted).await.unwrap();

    assert_eq!(kept.last, today.next_day().unwrap());
    let tables = "select count(*) from pg_inherits where inhparent = 'logs.log_entries'::regclass";
    assert_eq!(store.count(tables).await, 251, "those and tomorrow's");
}

/// Lines of the last ten minutes, a hundred a second, each of an order and a request of its own.
const FILL: &str = "
    insert into logs.log_entries
    select now() - n * interval '10 milliseconds', 'here-1', n, 'shop',
           case when n % 5000 = 0 then 'ERROR' else 'INFO' end::logs.level, 'order', 'settled',
           array[lpad(to_hex(n), 32, '0')::uuid], array['r-' || n], array['t-' || n], '{}'
      from generate_series(1, 60000) as n;
    vacuum analyze";

/// Pages of tables and indexes that were read.
const PAGES: &str = "
    select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
      from pg_statio_user_tables where schemaname = 'logs'";

#[tokio::test]
async fn a_page_of_lines_reads_its_own_pages_only_however_many_there_are() {
    let store = store().await;
    let now = now(&store).await;
    logs::keep(&store.db, 7, &[(now - Duration::from_secs(600)).date()]).await.unwrap();
    for statement in FILL.split(';') {
        store.look.batch_execute(statement).await.unwrap();
    }
    let read_so_far = async || {
        store.look.batch_execute("select pg_stat_force_next_flush()").await.unwrap();
        store.count(PAGES).await
    };
    let filled = "all that was filled to be counted";
    let before = testkit::eventually(filled, Duration::from_secs(60), async || {
        let read = read_so_far().await;
        if read > 60_000 { Ok(read) } else { Err(read) }
    })
    .await;

    let any = || Query { limit: 50, ..Query::default() };
    let order = OrderId(uuid::Uuid::from_u128(0x500));
    let found = [
        read(&store, any()).await.len(),
        read(&store, Query { age_max: Some(Duration::from_secs(60)), ..any() }).await.len(),
        read(&store, Query { level: Level::Error, ..any() }).await.len(),
        read(&store, Query { order: Some(order), ..any() }).await.len(),
        read(&store, Query { request: Some("r-700".to_owned()), ..any() }).await.len(),
        read(&store, Query { trace: Some("t-700".to_owned()), ..any() }).await.len(),
    ];
    assert_eq!(found, [50, 50, 12, 1, 1, 1]);

    let counted = "what was read to be counted";
    let read = testkit::eventually(counted, Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        let read = read_so_far().await - before;
        if read >= 20 { Ok(read) } else { Err(read) }
    })
    .await;
    assert!(read < 250, "115 lines were found in {read} pages");
}

#[tokio::test]
async fn a_rare_line_is_found_in_steps_each_of_which_visits_a_bounded_number_of_lines() {
    let store = store().await;
    logs::keep(&store.db, 7, &[]).await.unwrap();
    let many = "
        insert into logs.log_entries
        select now() + n * interval '1 microsecond', 'here-1', n,
               case n when 45000 then 'rare' else 'shop' end, 'INFO', 'order', 'line', '{}', '{}',
               '{}', '{}'
          from generate_series(1, 45000) as n";
    store.look.batch_execute(many).await.unwrap();
    let mut query = Query { service: Some("rare".to_owned()), limit: 10, ..Query::default() };
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = logs::read(&store.db, &query).await.unwrap();
        found.extend(page.rows.iter().map(|line| line.sequence));
        pages += 1;
        let Some(next) = page.next else { break };
        assert!(next > query.after, "the cursor stands still");
        query.after = next;
    }
    assert_eq!((found, pages), (vec![45_000], 3));
}
