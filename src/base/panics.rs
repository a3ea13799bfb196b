//! Panics of libraries that read text from outside: caught, and described in one line.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use crate::base::lock::lock;

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an internal error (please report it): {0}")]
pub struct CaughtPanic(String);

impl CaughtPanic {
    /// Describes what a panic carried.
    pub fn of(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "it says nothing".to_owned());
        let line = text.lines().next().unwrap_or_default();
        Self(line.chars().take(300).collect())
    }
}

/// Runs something that may panic; what it changed until then must not be used, or stay right half done.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| CaughtPanic::of(&*payload))
}

/// The stack of [`with_deep_stack`], in bytes: taken as it is used.
const DEEP: usize = 256 << 20;

/// Runs something that calls itself deeply, on a thread of its own with a deep stack, and waits for it.
pub fn with_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, CaughtPanic> {
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, run);
        match spawned {
            Ok(thread) => thread.join().map_err(|payload| CaughtPanic::of(&*payload)),
            Err(error) => Err(CaughtPanic(format!("no thread could be started: {error}"))),
        }
    })
}

/// Where the last panic happened, for those who describe it.
#[derive(Debug, Clone, Default)]
pub struct PanicPlace(Arc<Mutex<Option<String>>>);

impl PanicPlace {
    /// The file and line, if there was a panic.
    pub fn last(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}

/// Keeps panics off the terminal of this process: what catches them describes them.
pub fn keep_quiet() -> PanicPlace {
    let place = PanicPlace::default();
    let noted = place.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(ToString::to_string);
        *lock(&noted.0) = at;
    }));
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_line() {
        assert_eq!(catch(|| 7), Ok(7));
        let caught = catch(|| panic!("unreachable\nand more")).unwrap_err();
        assert_eq!(caught.to_string(), "an internal error (please report it): unreachable");
        assert_eq!(with_deep_stack(|| 7), Ok(7));
        assert!(with_deep_stack(|| panic!("far down")).unwrap_err().to_string().ends_with(": far down"));
        assert_eq!(
            catch(|| std::panic::panic_any(7)).unwrap_err(),
            CaughtPanic("it says nothing".to_owned())
        );
    }
}
