//! Locks of values that are whole whenever nobody holds their lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the lock of a value, and takes it also after a panic of its last holder.
///
/// A panic is the fault of one attempt or one document; the others go on. So a holder leaves the value whole between any two calls.
#[expect(clippy::disallowed_methods, reason = "the only place that takes a lock")]
pub fn lock<T: ?Sized>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outlives_the_panic_of_a_holder() {
        let value = Mutex::new(1);
        let holder = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            *lock(&value) = 2;
            let _held = lock(&value);
            panic!("the holder fails");
        }));
        assert!(holder.is_err() && value.is_poisoned());
        assert_eq!(*lock(&value), 2);
    }
}
