//! Token buckets, as the generic cell rate algorithm keeps them: of each only the moment at which it will be full (ITU-T
//! I.371, annex A).

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Beyond so many at once nobody else is counted: better that than memory without bounds.
const MOST: usize = 100_000;

/// One bucket for everybody who asked of late.
#[derive(Debug)]
pub(super) struct Buckets {
    /// What one request takes.
    interval: Duration,
    /// From empty to full.
    capacity: Duration,
    by_name: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    full_at: Instant,
    /// Taken here since counts were shared.
    spent: u32,
    /// The count of all instances, as it was last heard.
    total: Option<u64>,
}

impl Buckets {
    pub(super) fn new(per_second: u32, seconds: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            capacity: Duration::from_secs(seconds.into()),
            by_name: HashMap::new(),
        }
    }

    /// Takes one, or says how long until there is one.
    pub(super) fn take(&mut self, who: &str, now: Instant) -> Result<(), Duration> {
        if let Some(bucket) = self.by_name.get_mut(who) {
            let full_at = bucket.full_at.max(now) + self.interval;
            let missing = (full_at - now).saturating_sub(self.capacity);
            if !missing.is_zero() {
                return Err(missing);
            }
            bucket.full_at = full_at;
            bucket.spent += 1;
        } else if self.by_name.len() < MOST {
            let bucket = Bucket {
                full_at: now + self.interval,
                spent: 1,
                total: None,
            };
            self.by_name.insert(who.to_owned(), bucket);
        }
        Ok(())
    }

    /// What was taken here since the last call, by whom. Forgets whose bucket is full.
    pub(super) fn spent(&mut self, now: Instant) -> Vec<(String, u32)> {
        self.by_name
            .retain(|_, bucket| bucket.spent > 0 || bucket.full_at > now);
        self.by_name
            .iter_mut()
            .filter(|(_, bucket)| bucket.spent > 0)
            .map(|(who, bucket)| (who.clone(), std::mem::take(&mut bucket.spent)))
            .collect()
    }

    /// Takes what others took meanwhile, by the counts of all instances after `spent` was added to them.
    pub(super) fn learn(&mut self, spent: &[(String, u32)], totals: &[u64], now: Instant) {
        for ((who, spent), total) in spent.iter().zip(totals) {
            let Some(bucket) = self.by_name.get_mut(who) else {
                continue;
            };
            // What was counted before this bucket was here may be long ago.
            let before = bucket.total.unwrap_or(*total - u64::from(*spent).min(*total));
            // A count that went back has been forgotten meanwhile.
            let others = total
                .checked_sub(before)
                .unwrap_or(*total)
                .saturating_sub(u64::from(*spent));
            bucket.total = Some(*total);
            let taken = self.interval * u32::try_from(others).unwrap_or(u32::MAX).min(u32::MAX / 2);
            bucket.full_at = (bucket.full_at.max(now) + taken).min(now + self.capacity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten a second, a hundred at once.
    fn buckets() -> Buckets {
        Buckets::new(10, 10)
    }

    fn taken(buckets: &mut Buckets, who: &str, times: usize, now: Instant) -> usize {
        (0..times).filter(|_| buckets.take(who, now).is_ok()).count()
    }

    #[test]
    fn a_burst_is_let_through_and_then_so_many_a_second() {
        let (mut buckets, now) = (buckets(), Instant::now());
        assert_eq!(taken(&mut buckets, "ann", 1000, now), 100);
        assert_eq!(buckets.take("ann", now), Err(Duration::from_millis(100)));
        let later = now + Duration::from_secs(3);
        assert_eq!(taken(&mut buckets, "ann", 1000, later), 30);
        assert_eq!(taken(&mut buckets, "ben", 1000, later), 100);
    }

    #[test]
    fn what_others_let_through_is_taken_too() {
        let (mut buckets, now) = (buckets(), Instant::now());
        taken(&mut buckets, "ann", 10, now);
        let spent = buckets.spent(now);
        assert_eq!(spent, [("ann".to_owned(), 10)]);
        // 500 were counted before anybody asked here.
        buckets.learn(&spent, &[510], now);
        taken(&mut buckets, "ann", 10, now);
        let spent = buckets.spent(now);
        buckets.learn(&spent, &[550], now);
        assert_eq!(taken(&mut buckets, "ann", 1000, now), 100 - 20 - 30);
        let spent = buckets.spent(now);
        // Forgotten meanwhile: everything that is counted now is of late.
        buckets.learn(&spent, &[60], now);
        assert_eq!(taken(&mut buckets, "ann", 1000, now), 0);
        assert_eq!(
            taken(&mut buckets, "ann", 1000, now + Duration::from_secs(100)),
            100
        );
    }

    #[test]
    fn whoever_has_not_asked_for_long_is_forgotten() {
        let (mut buckets, now) = (buckets(), Instant::now());
        taken(&mut buckets, "ann", 10, now);
        buckets.spent(now);
        buckets.spent(now);
        assert_eq!(buckets.by_name.len(), 1);
        buckets.spent(now + Duration::from_secs(1));
        assert!(buckets.by_name.is_empty());
    }

    #[test]
    fn memory_has_a_bound_and_nobody_is_refused_for_it() {
        let (mut buckets, now) = (buckets(), Instant::now());
        for number in 0..MOST + 10 {
            assert!(buckets.take(&number.to_string(), now).is_ok());
        }
        assert_eq!(buckets.by_name.len(), MOST);
    }
}
