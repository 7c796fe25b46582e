//! `make model`: checks the pipeline, then every broken variant, and prints the results.

#![expect(clippy::print_stdout, reason = "the results are the program's output")]

use std::process::ExitCode;
use std::time::Instant;

use model::{Orders, Pipeline, Variant, check, goes_in_circles, shortest};

/// The sizes of the intact pipeline: orders, and the most faults on one path.
const SOUND: [(Orders, u8); 3] =
    [(Orders::One, 2), (Orders::TwoTogether, 1), (Orders::TwoApart, 1)];
/// The most steps of a counterexample.
const STEPS_MAX: usize = 30;

fn main() -> ExitCode {
    let sound = SOUND.map(|(orders, faults)| is_sound(&Pipeline::sound(orders, faults)));
    let caught = Variant::ALL.map(is_caught);
    if sound.into_iter().chain(caught).all(|good| good) {
        println!("The pipeline keeps its promises, and every broken variant was caught.");
        ExitCode::SUCCESS
    } else {
        println!("A check FAILED: see above.");
        ExitCode::FAILURE
    }
}

fn is_sound(pipeline: &Pipeline) -> bool {
    let begun = Instant::now();
    let (found, circles) = (check(pipeline), goes_in_circles(pipeline));
    let (orders, faults, took) = (pipeline.orders, pipeline.faults, begun.elapsed().as_secs_f64());
    println!("{orders:?}, 2 processes, 2 workers, up to {faults} faults:");
    println!("  {} states, at most {} steps deep, {took:.1} s", found.states, found.depth);
    found.holds.iter().for_each(|name| println!("  holds     {name}"));
    let ends = if circles { "BREAKS" } else { "holds " };
    println!("  {ends}    P1 every path ends: none leads back to an earlier state");
    for name in &found.breaks {
        println!("  BREAKS    {name}");
        print_shortest(pipeline, name);
    }
    found.unreachable.iter().for_each(|name| println!("  NEVER     {name}"));
    println!();
    found.breaks.is_empty() && found.unreachable.is_empty() && !circles
}

fn is_caught(variant: Variant) -> bool {
    let pipeline = Pipeline::broken(variant);
    println!("{variant:?}: {}", variant.description());
    let breaks = check(&pipeline).breaks;
    breaks.iter().for_each(|name| println!("  breaks    {name}"));
    let caught = breaks.contains(&variant.caught_by());
    if caught {
        print_shortest(&pipeline, variant.caught_by());
    } else {
        println!("  NOT CAUGHT by {}", variant.caught_by());
    }
    println!();
    caught
}

fn print_shortest(pipeline: &Pipeline, property: &'static str) {
    match shortest(pipeline, property, STEPS_MAX) {
        Some(broken) => {
            println!("  the shortest path that breaks \"{property}\":");
            for (number, step) in (1..).zip(&broken.steps) {
                println!("  {number:>4}. {}", step.description);
            }
        }
        None => println!("  (no path of at most {STEPS_MAX} steps breaks \"{property}\")"),
    }
}
