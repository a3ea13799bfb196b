//! Thresholds judged over made-up records: what holds, what is broken, what cannot be decided and must never look green.
