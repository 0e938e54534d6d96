//! How long calls take, and what many measurements come to.
//!
//! Cases that are compared take turns, so that whatever else the machine does meanwhile meets them all.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long a sample takes: long enough that reading the clock does not count, short enough that most
/// are not disturbed.
const SAMPLE: Duration = Duration::from_millis(10);

/// A call whose time is measured.
pub(crate) struct Case<'a> {
    /// Calls so many times.
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

    /// Nanoseconds of each of so many calls.
    fn nanos(&mut self, calls: u64) -> f64 {
        let begun = Instant::now();
        (self.run)(calls);
        begun.elapsed().as_secs_f64() * 1e9 / calls as f64
    }

    /// How many calls make a sample, found by doubling.
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

/// Nanoseconds of a call, of each case, in so many samples.
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

/// The same figure, measured several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// What half of them do not exceed; NaN where there are none.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
        f64::midpoint(
            middle(sorted.len().saturating_sub(1) / 2),
            middle(sorted.len() / 2),
        )
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    pub(crate) fn highest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    /// Each of them and its counterpart, which was measured beside it.
    pub(crate) fn with(&self, others: &Self, merge: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&others.0);
        Self(pairs.map(|(left, right)| merge(*left, *right)).collect())
    }
}
