//! Which run of a build server this is: the same in all its jobs, also in those that are run again.
//!
//! Names are those of the servers' own documents. CircleCI gives a workflow that is run again a new id and leaves that of its
//! pipeline; Kubernetes gives its Pods no such number.

/// The servers, each with the variable that names a run.
const SERVERS: [(&str, &str); 5] = [
    ("GitHub Actions", "GITHUB_RUN_ID"),
    ("GitLab", "CI_PIPELINE_ID"),
    ("CircleCI", "CIRCLE_PIPELINE_ID"),
    ("Buildkite", "BUILDKITE_BUILD_ID"),
    ("Azure Pipelines", "BUILD_BUILDID"),
];

/// The run that the environment names; `None` where nothing or more than one does.
pub(super) fn told(get: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut named = SERVERS.iter().filter_map(|(server, name)| Some(format!("{server} {}", get(name)?)));
    named.next().filter(|_| named.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(pairs: &[(&str, &str)]) -> Option<String> {
        told(&|name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_build_is_named_by_its_server_alone() {
        assert_eq!(told_by(&[]), None);
        for (server, name) in SERVERS {
            assert_eq!(told_by(&[(name, "47")]), Some(format!("{server} 47")));
        }
        assert_eq!(told_by(&[("CI_PIPELINE_ID", "1"), ("GITHUB_RUN_ID", "2")]), None);
    }
}
