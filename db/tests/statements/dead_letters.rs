use std::time::Duration;

use db::dead_letters::{
    ActionKind, DeadLetter, NewAction, Outcome, begin, end, get, list, lock, newest,
};
use domain::{ActionId, OrderId};
use futures_util::FutureExt as _;

use super::store::Store;

fn action(letter: &str, kind: ActionKind) -> NewAction {
    NewAction {
        id: ActionId::new(),
        kind,
        by: "anna".to_owned(),
        note: Some("ticket 7".to_owned()),
        dead_letter: DeadLetter {
            id: letter.to_owned(),
            queue: "processingorders.dead".to_owned(),
            reason: "unreadable".to_owned(),
            detail: None,
            message_id: Some("m".to_owned()),
            order_ids: vec![OrderId::new(), OrderId::new()],
            attempts: 1,
            replays: 2,
            dead_lettered_at: Some(time::OffsetDateTime::UNIX_EPOCH),
            properties: r#"{"pad":"\u0000"}"#.to_owned(),
            body: b"\0\xff".to_vec(),
        },
    }
}

#[tokio::test]
async fn an_action_is_recorded_with_its_dead_letter_and_ends_once() {
    let store = Store::fresh().await;
    let db = &store.db;
    let orderless = |mut a: NewAction| {
        a.dead_letter.order_ids.clear();
        a
    };
    let actions = [
        action("a", ActionKind::Replay),
        orderless(action("b", ActionKind::Discard)),
        action("a", ActionKind::Replay),
    ];
    begin(db, &actions).await.unwrap();
    begin(db, &actions).await.unwrap();

    let first = get(db, actions[0].id).await.unwrap().unwrap();
    assert_eq!((first.outcome, first.ended_at), (Outcome::Begun, None));
    assert_eq!((&first.dead_letter, &first.by), (&actions[0].dead_letter, &actions[0].by));
    assert_eq!(get(db, ActionId::new()).await.unwrap(), None);

    end(db, &[actions[0].id, actions[1].id], Outcome::Done).await.unwrap();
    end(db, &[actions[0].id], Outcome::Failed).await.unwrap();
    let ended = get(db, actions[0].id).await.unwrap().unwrap();
    assert_eq!(ended.outcome, Outcome::Done);
    assert!(ended.ended_at.is_some());

    assert_eq!(newest(db).await.unwrap(), actions.iter().map(|action| action.id).max());
    let all = list(db, None, 2, None).await.unwrap();
    assert_eq!(all.next, Some(actions[1].id));
    let all = all.rows;
    assert_eq!(all.iter().map(|a| a.id).collect::<Vec<_>>(), [actions[2].id, actions[1].id]);
    assert_eq!((all[1].kind, all[1].dead_letter.body.len()), (ActionKind::Discard, 0));
    assert!(all[1].dead_letter.order_ids.is_empty());
    let rest = list(db, Some(actions[1].id), 2, None).await.unwrap().rows;
    assert_eq!(rest.iter().map(|a| a.id).collect::<Vec<_>>(), [actions[0].id]);
    let of_a = list(db, None, 9, Some("a")).await.unwrap().rows;
    assert_eq!(of_a.iter().map(|a| a.id).collect::<Vec<_>>(), [actions[2].id, actions[0].id]);
}

#[tokio::test]
async fn one_session_at_a_time_has_the_lock_and_the_others_see_its_name() {
    let store = Store::fresh().await;
    let db = &store.db;
    let lock_of_anna = lock(db, "list by anna", Duration::ZERO).await.unwrap().unwrap();

    let refused = lock(db, "replay by bob", Duration::ZERO).await.unwrap();
    assert_eq!(refused.unwrap_err(), "list by anna");
    let mut waiting = Box::pin(lock(db, "replay by bob", Duration::from_secs(60)));
    assert!((&mut waiting).now_or_never().is_none());

    drop(lock_of_anna);
    assert!(waiting.await.unwrap().is_ok());
}
