//! Runs a plan: attempts, retries, pace; tells a sink what happened.
