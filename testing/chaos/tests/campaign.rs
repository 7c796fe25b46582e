//! A short campaign of `make chaos`, with a fixed seed.

use std::time::Duration;

use chaos::{Plan, campaign};

#[tokio::test]
async fn a_campaign_of_faults_breaks_no_promise() {
    let plan = Plan { clients: 12, ..Plan::new(7, Duration::from_secs(100)) };

    let report = campaign(plan).await.unwrap();

    println!("{}", report.text());
    assert_eq!(report.verdict.broken(), [""; 0], "{}", report.text());
    report.write().unwrap();
}
