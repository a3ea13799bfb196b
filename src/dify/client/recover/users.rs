//! How many attempts have a user of the suite's own making: the runs of two tests that share one cannot be distinguished.

use std::collections::HashMap;
use std::sync::Mutex;

use reqwest::header::HeaderValue;

use crate::base::lock::lock;
use crate::dify::transcript::UserScope;

/// Users that are counted; beyond that none counts as unique any more.
const MOST: usize = 1 << 20;

/// Users under which something was sent.
#[derive(Debug, Default)]
pub struct Users {
    sent: Mutex<HashMap<blake3::Hash, u32>>,
}

impl Users {
    /// Notes an attempt before it is sent.
    pub fn note(&self, key: &HeaderValue, user: &str, scope: UserScope) {
        match scope {
            UserScope::Repeat => {
                let mut sent = lock(&self.sent);
                if sent.len() < MOST {
                    *sent.entry(name(key, user)).or_default() += 1;
                }
            }
            UserScope::Attempt | UserScope::Shared => {}
        }
    }

    /// Forgets an attempt that surely did not run.
    pub fn release(&self, key: &HeaderValue, user: &str) {
        if let Some(count) = lock(&self.sent).get_mut(&name(key, user)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Returns whether this user's runs are those of one attempt.
    pub fn is_unique(&self, key: &HeaderValue, user: &str, scope: UserScope) -> bool {
        match scope {
            UserScope::Attempt => true,
            UserScope::Repeat => lock(&self.sent).get(&name(key, user)) == Some(&1),
            UserScope::Shared => false,
        }
    }
}

/// Dify scopes users by app, which the key names.
fn name(key: &HeaderValue, user: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(user.as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_unique_while_one_attempt_bears_it() {
        let (users, key) = (Users::default(), HeaderValue::from_static("Bearer a"));
        let other = HeaderValue::from_static("Bearer b");
        assert!(
            users.is_unique(&key, "u", UserScope::Attempt) && !users.is_unique(&key, "u", UserScope::Shared)
        );
        assert!(!users.is_unique(&key, "u", UserScope::Repeat), "never noted");
        users.note(&key, "u", UserScope::Repeat);
        users.note(&other, "u", UserScope::Repeat);
        assert!(users.is_unique(&key, "u", UserScope::Repeat), "another app's users are others");
        users.note(&key, "u", UserScope::Repeat);
        assert!(!users.is_unique(&key, "u", UserScope::Repeat));
        users.release(&key, "u");
        assert!(users.is_unique(&key, "u", UserScope::Repeat));
    }
}
