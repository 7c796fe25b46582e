//! A dead letter sends an e-mail, and another one when it is gone.

use lapin::BasicProperties;
use testkit::eventually;
use testkit::monitoring::{Mail, Monitoring};
use testkit::world::World;

use crate::journeys::ledger::LONG;

const DEAD: &str = "processingorders.dead";

async fn mail(monitoring: &Monitoring, subject: &str) -> Mail {
    eventually(&format!("a mail about {subject}"), LONG, async || {
        let mails = monitoring.mailbox.mails().unwrap();
        let found = mails.iter().find(|mail| mail.subject == subject).cloned();
        found.ok_or_else(|| mails.into_iter().map(|mail| mail.subject).collect::<Vec<_>>())
    })
    .await
}

/// Waits until Prometheus reports no problem, its own targets included.
async fn all_is_well(monitoring: &Monitoring) {
    eventually("no alert and no silent target", LONG, async || {
        let wrong = monitoring.prometheus.wrong().await.unwrap();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    })
    .await;
    assert!(monitoring.mailbox.mails().unwrap().is_empty());
}

#[tokio::test]
async fn a_dead_letter_sends_a_mail_and_another_one_when_it_is_gone() {
    let mut world = World::builder().private_servers().start().await;
    world.add_auditor(&[]).await;
    world.ready().await;
    let monitoring = Monitoring::of(&world).await;
    let order = world.place_order().await;
    world.eventually_settled(&order).await;
    all_is_well(&monitoring).await;

    world.publish_raw("processingorders", b"garbage", BasicProperties::default()).await;

    let firing = mail(&monitoring, &format!("[FIRING] OrdermillDeadLetters: {DEAD}")).await;
    assert_eq!(firing.to, "operators@localhost");
    for wanted in [
        "FIRING: OrdermillDeadLetters (warning)",
        "dead letters in processingorders.dead: 1",
        "order-management dead-letters list",
        "Runbook:  docs/operations.md#ordermilldeadletters",
        &format!("vhost = {}", world.name()),
        "queue = processingorders.dead",
    ] {
        assert!(firing.text.contains(wanted), "no {wanted:?} in {}", firing.text);
    }

    world.purge(DEAD).await;

    let resolved = mail(&monitoring, &format!("[RESOLVED] OrdermillDeadLetters: {DEAD}")).await;
    assert!(resolved.text.contains("RESOLVED: OrdermillDeadLetters"), "{}", resolved.text);
    eventually("no alert", LONG, async || {
        let wrong = monitoring.prometheus.wrong().await.unwrap();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    })
    .await;
}
