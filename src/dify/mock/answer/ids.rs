//! Ids of runs, executions, forms and accounts: random ones, and ones that follow from a name.

/// A random-looking uuid of version 4.
pub fn new_id(random: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(random.u128(..).to_ne_bytes()).into_uuid().hyphenated().to_string()
}

/// The uuid that follows from a name.
pub fn id_of(kind: &str, name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{kind}:{name}").as_bytes())
        .hyphenated()
        .to_string()
}
