//! What many measurements come to.

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
