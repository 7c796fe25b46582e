//! `make model`: checks the road, then breaks it in every way there is, and tells what was found.

#![expect(clippy::print_stdout, reason = "what was found is the program's answer")]

use std::process::ExitCode;
use std::time::Instant;

use model::{Orders, Road, Variant, check, goes_in_circles, shortest};

/// What the road is checked with: orders, and how many faults may happen on one path.
const SOUND: [(Orders, u8); 3] =
    [(Orders::One, 2), (Orders::TwoTogether, 1), (Orders::TwoApart, 1)];
/// The most steps of a counterexample.
const STEPS_MAX: usize = 30;

fn main() -> ExitCode {
    let sound = SOUND.map(|(orders, faults)| is_sound(&Road::sound(orders, faults)));
    let caught = Variant::ALL.map(is_caught);
    if sound.into_iter().chain(caught).all(|good| good) {
        println!(
            "The road keeps its promises, and everything that was broken on purpose was caught."
        );
        ExitCode::SUCCESS
    } else {
        println!("NOT all is well: see above.");
        ExitCode::FAILURE
    }
}

fn is_sound(road: &Road) -> bool {
    let begun = Instant::now();
    let (found, circles) = (check(road), goes_in_circles(road));
    let (orders, faults, took) = (road.orders, road.faults, begun.elapsed().as_secs_f64());
    println!("{orders:?}, 2 processes, 2 workers, up to {faults} faults:");
    println!("  {} states, at most {} steps deep, {took:.1} s", found.states, found.depth);
    found.holds.iter().for_each(|name| println!("  holds     {name}"));
    let ends = if circles { "BREAKS" } else { "holds " };
    println!("  {ends}    P1 every path ends: none leads back to where it was");
    for name in &found.breaks {
        println!("  BREAKS    {name}");
        print_shortest(road, name);
    }
    found.unreachable.iter().for_each(|name| println!("  NEVER     {name}"));
    println!();
    found.breaks.is_empty() && found.unreachable.is_empty() && !circles
}

fn is_caught(variant: Variant) -> bool {
    let road = Road::broken(variant);
    println!("{variant:?}: {}", variant.says());
    let breaks = check(&road).breaks;
    breaks.iter().for_each(|name| println!("  breaks    {name}"));
    let caught = breaks.contains(&variant.caught_by());
    if caught {
        print_shortest(&road, variant.caught_by());
    } else {
        println!("  NOT CAUGHT by {}", variant.caught_by());
    }
    println!();
    caught
}

fn print_shortest(road: &Road, property: &'static str) {
    match shortest(road, property, STEPS_MAX) {
        Some(broken) => {
            println!("  the shortest way to break \"{property}\":");
            for (number, told) in (1..).zip(&broken.steps) {
                println!("  {number:>4}. {}", told.says);
            }
        }
        None => println!("  (no way of at most {STEPS_MAX} steps breaks \"{property}\")"),
    }
}
