//! Numbers for reports: conversion of counts, medians, and a readable form.

use std::time::Duration;

/// Converts a count; exact up to 2⁵³.
pub fn float(count: u64) -> f64 {
    let low = u32::try_from(count & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    let high = u32::try_from(count >> 32).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// Converts the answer to `select count(*)`.
pub fn rows(count: i64) -> f64 {
    float(u64::try_from(count).unwrap_or_default())
}

/// Milliseconds with a fraction.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Formats a number with three significant digits and grouped thousands: `6,531`, `41.3`, `0.92`.
pub fn shown(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (place, c) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(c);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

/// The median: the middle value, the mean of the two in the middle, or 0 without values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |i: usize| sorted.get(i).copied().unwrap_or_default();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        (at(middle.saturating_sub(1)) + at(middle)) / 2.0
    }
}

/// The standard error of the median, for values of a normal distribution; 0 for fewer than two
/// values.
pub fn error_of_median(values: &[f64]) -> f64 {
    let count = float(u64::try_from(values.len()).unwrap_or_default());
    if count < 2.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (std::f64::consts::FRAC_PI_2 * squares / (count - 1.0) / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_three_significant_digits() {
        let shown =
            [0.0, 0.304, 9.99, 41.26, 99.97, 999.4, 6531.2, 1_234_567.0, -1234.0].map(shown);
        assert_eq!(
            shown,
            ["0.00", "0.30", "9.99", "41.3", "100", "999", "6,531", "1,234,567", "-1,234"]
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!([median(&[]), median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0])], [0.0, 2.0, 2.5]);
    }

    #[test]
    fn counts_beyond_32_bits_stay_exact() {
        assert_eq!(float(5_000_000_000), 5_000_000_000.0);
    }

    #[test]
    fn the_error_of_the_median_decreases_with_the_number_of_values() {
        assert_eq!(error_of_median(&[]), 0.0);
        assert_eq!(error_of_median(&[7.0]), 0.0);
        // A deviation of 2, over the root of 4 values, times the root of π/2.
        let values = [3.0, 3.0, 3.0, 7.0];
        assert!((error_of_median(&values) - 1.2533).abs() < 0.0001);
        let more = values.repeat(100);
        assert!((error_of_median(&more) - 0.10868).abs() < 0.0001);
    }
}
