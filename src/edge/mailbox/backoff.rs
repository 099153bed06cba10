//! How long to rest after a fault: doubling with jitter for the network, much longer for a refused login.

use std::time::Duration;

/// Network faults: 2 s, 4 s … 5 min, each up to half longer by chance.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    faults: u32,
}

impl Backoff {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection works again.
    pub fn reset(&mut self) {
        self.faults = 0;
    }

    /// Rest after one more fault; `chance` lies in 0..1.
    pub fn next(&mut self, chance: f64) -> Duration {
        self.faults = self.faults.saturating_add(1);
        let secs = 2_u64.saturating_pow(self.faults.min(9)).min(300);
        Duration::from_secs(secs).mul_f64(1.0 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// Refused logins: three tries a minute apart, then 15 min doubling to 8 h. Providers lock accounts that hammer.
#[derive(Debug, Clone, Default)]
pub struct LoginBreaker {
    refusals: u32,
}

impl LoginBreaker {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As it was after so many refusals, one after another.
    #[must_use]
    pub fn after(refusals: u32) -> Self {
        Self { refusals }
    }

    pub fn accepted(&mut self) {
        self.refusals = 0;
    }

    /// Rest after one more refusal.
    pub fn refused(&mut self, chance: f64) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        let secs = if self.refusals < 3 { 60 } else { 900_u64.saturating_mul(2_u64.saturating_pow(self.refusals - 3)).min(8 * 3600) };
        Duration::from_secs(secs).mul_f64(1.0 + chance.clamp(0.0, 1.0) / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_rests_double_up_to_five_minutes_and_start_again() {
        let mut backoff = Backoff::new();
        let rests: Vec<u64> = (0..10).map(|_| backoff.next(0.0).as_secs()).collect();
        assert_eq!(rests, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_secs(3));
    }

    #[test]
    fn a_refused_login_rests_a_quarter_of_an_hour_from_the_third_time() {
        let mut breaker = LoginBreaker::new();
        let rests: Vec<u64> = (0..5).map(|_| breaker.refused(0.0).as_secs()).collect();
        assert_eq!(rests, [60, 60, 900, 1800, 3600]);
        breaker.accepted();
        assert_eq!(breaker.refused(0.0).as_secs(), 60);
    }
}
