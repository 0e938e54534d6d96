//! Measures the time of calls, and summarizes the measurements.
//!
//! Cases to be compared are measured in turn, so that other work of the machine affects all cases.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The duration of a sample. It is long enough to make the cost of reading the clock negligible, and short enough that most
/// samples are not interrupted.
const SAMPLE: Duration = Duration::from_millis(10);

/// A call to measure.
pub(crate) struct Case<'a> {
    /// Makes this number of calls.
    run: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new<T>(mut call: impl FnMut() -> T + 'a) -> Self {
        let run = move |calls| {
            for _ in 0..calls {
                black_box(call());
            }
        };
        Self { run: Box::new(run) }
    }

    /// Makes these calls and returns the nanoseconds per call.
    fn nanos(&mut self, calls: u64) -> f64 {
        let begun = Instant::now();
        (self.run)(calls);
        begun.elapsed().as_secs_f64() * 1e9 / calls as f64
    }

    /// The number of calls in a sample, found by doubling.
    fn calls(&mut self) -> u64 {
        let mut calls = 1;
        loop {
            let begun = Instant::now();
            (self.run)(calls);
            if begun.elapsed() >= SAMPLE / 2 {
                return calls * 2;
            }
            calls *= 2;
        }
    }
}

/// Measures each case `samples` times and returns the nanoseconds per call.
pub(crate) fn nanos_of_each(mut cases: Vec<Case<'_>>, samples: usize) -> Vec<Figures> {
    let calls: Vec<u64> = cases.iter_mut().map(Case::calls).collect();
    let mut nanos = vec![Figures::default(); cases.len()];
    for _ in 0..samples {
        for ((case, calls), nanos) in cases.iter_mut().zip(&calls).zip(&mut nanos) {
            nanos.push(case.nanos(*calls));
        }
    }
    nanos
}

/// The measurements of a figure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The median; NaN without measurements.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
        f64::midpoint(middle(sorted.len().saturating_sub(1) / 2), middle(sorted.len() / 2))
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    pub(crate) fn highest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    /// Merges each measurement with the measurement of `others` from the same round.
    pub(crate) fn merge(&self, others: &Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&others.0);
        Self(pairs.map(|(left, right)| operation(*left, *right)).collect())
    }
}
