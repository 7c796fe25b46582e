//! Dead letters and actions as text for a terminal. A sender's texts are printed without control
//! characters, which could otherwise overwrite the lines above.

use crate::dead_letters::{ActionView, LetterView, Listing, Replayed, WholeAction, WholeLetter};

pub(super) fn listing(listing: &Listing) -> String {
    if listing.data.is_empty() {
        return "no dead letters".to_owned();
    }
    let head = ["ID", "DEAD SINCE", "QUEUE", "REASON", "ATTEMPTS", "REPLAYS", "ORDER"];
    let rows = listing.data.iter().map(|letter| {
        [
            letter.id.clone(),
            letter.dead_lettered_at.clone().unwrap_or_else(|| "-".to_owned()),
            letter.queue.clone(),
            letter.reason.clone(),
            letter.attempts.to_string(),
            letter.replays.to_string(),
            orders(&letter.order_ids, letter.orders),
        ]
    });
    let more = if listing.more { "\nthere are more: use --limit or a filter" } else { "" };
    table(head, rows.collect()) + more
}

pub(super) fn dead_letter(whole: &WholeLetter) -> String {
    let letter: &LetterView = &whole.letter;
    let mut text = format!("dead letter {}\n", letter.id);
    let mut say = |name: &str, value: &str| {
        text.push_str(&format!("  {name:<14}{}\n", clean(value)));
    };
    say("queue", &letter.queue);
    say("reason", &letter.reason);
    for (name, value) in [
        ("detail", &letter.detail),
        ("dead since", &letter.dead_lettered_at),
        ("first at", &letter.first_at),
        ("message id", &letter.message_id),
        ("correlation", &letter.correlation_id),
    ] {
        if let Some(value) = value {
            say(name, value);
        }
    }
    say("attempts", &letter.attempts.to_string());
    say("replays", &letter.replays.to_string());
    say("looks", &letter.looks.to_string());
    for order in &whole.order_states {
        let status = order.status.unwrap_or("there is no such order");
        say("order", &format!("{}  {status}", order.order_id));
    }
    say("properties", &whole.contents.properties.to_string());
    say("body", &format!("{} bytes", letter.size));
    text + &contents(whole.contents.body.as_deref(), whole.contents.body_hex.as_deref())
}

pub(super) fn done(action: &WholeAction) -> String {
    let ActionView { id, action, outcome, letter_id, queue, .. } = &action.action;
    format!("{action} of {letter_id} in {queue}: {outcome} (action {id})")
}

pub(super) fn replayed(replayed: &Replayed) -> String {
    let more = if replayed.more { "; there are more" } else { "" };
    format!("{} letters replayed{more}", replayed.replayed)
}

pub(super) fn actions(actions: &[ActionView]) -> String {
    if actions.is_empty() {
        return "nothing was done yet".to_owned();
    }
    let head = ["ACTION", "BEGUN AT", "WHAT", "OUTCOME", "BY", "LETTER", "REASON", "NOTE"];
    let rows = actions.iter().map(|action| {
        [
            action.id.clone(),
            action.begun_at.clone(),
            action.action.to_owned(),
            action.outcome.to_owned(),
            action.by.clone(),
            action.letter_id.clone(),
            action.reason.clone(),
            action.note.clone().unwrap_or_default(),
        ]
    });
    table(head, rows.collect())
}

pub(super) fn action(whole: &WholeAction) -> String {
    let contents = contents(whole.contents.body.as_deref(), whole.contents.body_hex.as_deref());
    let properties = clean(&whole.contents.properties.to_string());
    let action = actions(std::slice::from_ref(&whole.action));
    format!("{action}\n\nproperties  {properties}\n{contents}")
}

fn orders(named: &[String], count: usize) -> String {
    match named {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{first} and {} more", count.saturating_sub(1)),
    }
}

fn contents(text: Option<&str>, hex: Option<&str>) -> String {
    match (text, hex) {
        (Some(text), _) => clean(text),
        (None, Some(hex)) => format!("not UTF-8, in hexadecimal digits: {hex}"),
        (None, None) => String::new(),
    }
}

fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let head = head.map(str::to_owned);
    let rows: Vec<[String; N]> =
        std::iter::once(head).chain(rows).map(|row| row.map(|cell| clean(&cell))).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_columns_and_no_control_characters() {
        let rows = vec![["1".to_owned(), "x\u{1b}[2J".to_owned()]];
        assert_eq!(table(["ID", "NOTE"], rows), "ID  NOTE\n1   x\u{fffd}[2J");
    }
}
