//! Which shard the build server says that this machine is, for `--shard auto`.
//!
//! Names and first numbers are those of the servers' own documents: GitLab's "predefined variables" (`CI_NODE_INDEX`, from 1),
//! CircleCI's "test splitting" (from 0), Buildkite's "environment variables" (from 0), Azure's `System.JobPositionInPhase`
//! (from 1), Kubernetes' "Indexed Job" (from 0; it does not say how many there are).

use crate::app::settings::variables::SHARD_TOTAL;
use crate::plan::shard::Shard;

/// What the environment says of shards.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ShardSettings {
    /// Nothing.
    #[default]
    Nothing,
    /// This machine's share.
    Share(Shard),
    /// Something that cannot be followed, and why.
    Unclear(String),
}

/// How a build server numbers parallel jobs.
struct Server {
    name: &'static str,
    index: &'static str,
    total: &'static str,
    /// The number of its first job.
    first: u32,
    /// What to do where the index is there and the total is not.
    without_total: &'static str,
    /// What to do where the total is there and the index is not.
    without_index: &'static str,
}

const SERVERS: [Server; 5] = [
    Server {
        name: "GitLab",
        index: "CI_NODE_INDEX",
        total: "CI_NODE_TOTAL",
        first: 1,
        without_total: "hand on both",
        without_index: "give the job `parallel`",
    },
    Server {
        name: "CircleCI",
        index: "CIRCLE_NODE_INDEX",
        total: "CIRCLE_NODE_TOTAL",
        first: 0,
        without_total: "hand on both",
        without_index: "hand on both",
    },
    Server {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        total: "BUILDKITE_PARALLEL_JOB_COUNT",
        first: 0,
        without_total: "hand on both",
        without_index: "give the step `parallelism`",
    },
    Server {
        name: "Azure Pipelines",
        index: "SYSTEM_JOBPOSITIONINPHASE",
        total: "SYSTEM_TOTALJOBSINPHASE",
        first: 1,
        without_total: "hand on both",
        without_index: "hand on both",
    },
    Server {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        total: SHARD_TOTAL,
        first: 0,
        without_total: "set it to the Job's `completions`, which Kubernetes does not pass to its Pods",
        without_index: "give the Job `completionMode: Indexed`",
    },
];

/// Reads what the build server says; `get` gives a variable that is set and not empty.
pub(super) fn told(get: &dyn Fn(&str) -> Option<String>) -> ShardSettings {
    let mut told = ShardSettings::Nothing;
    for server in &SERVERS {
        let here = match (server.read(get), &told) {
            (ShardSettings::Nothing, _) => continue,
            (ShardSettings::Share(share), ShardSettings::Share(other))
                if share.total == 1 || other.total == 1 =>
            {
                // A job that is not parallel is numbered too: 1 of 1.
                ShardSettings::Share(if share.total == 1 { other.clone() } else { share })
            }
            (ShardSettings::Share(_), ShardSettings::Share(_)) => ShardSettings::Unclear(format!(
                "{} and another build server both number this job; write --shard I/N",
                server.name
            )),
            (here, ShardSettings::Nothing | ShardSettings::Share(_) | ShardSettings::Unclear(_)) => here,
        };
        told = here;
        if let ShardSettings::Unclear(_) = told {
            break;
        }
    }
    told
}

impl Server {
    fn read(&self, get: &dyn Fn(&str) -> Option<String>) -> ShardSettings {
        let Self { name, index, total, first, .. } = *self;
        let unclear = |what: String| ShardSettings::Unclear(format!("{name}: {what}"));
        match (get(index), get(total)) {
            (None, None) => ShardSettings::Nothing,
            (None, Some(text)) if text == "1" => Shard::new(1, 1).map_or_else(unclear, ShardSettings::Share),
            (None, Some(_)) => unclear(format!("{total} is set and {index} is not: {}", self.without_index)),
            (Some(_), None) => unclear(format!("{index} is set and {total} is not: {}", self.without_total)),
            (Some(position), Some(count)) => {
                let numbers = position.parse::<u32>().ok().zip(count.parse::<u32>().ok());
                let share = numbers.and_then(|(position, count)| {
                    let from_one = position.checked_sub(first)?.checked_add(1)?;
                    Shard::new(from_one, count).ok()
                });
                share.map_or_else(
                    || unclear(format!("{index}={position} and {total}={count} name no shard")),
                    ShardSettings::Share,
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(pairs: &[(&str, &str)]) -> ShardSettings {
        told(&|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn share(index: u32, total: u32) -> ShardSettings {
        ShardSettings::Share(Shard::new(index, total).unwrap())
    }

    #[test]
    fn every_server_counts_as_it_does() {
        for (index, total, first) in [
            ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
            ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
            ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
            ("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),
            ("JOB_COMPLETION_INDEX", "FLOWPROOF_SHARD_TOTAL", 0),
        ] {
            for shard in 1..=3 {
                let position = (shard - 1 + first).to_string();
                assert_eq!(told_by(&[(index, &position), (total, "3")]), share(shard, 3), "{index}");
            }
            let beyond = (3 + first).to_string();
            for position in [beyond.as_str(), "-1", "x"] {
                let told = told_by(&[(index, position), (total, "3")]);
                assert!(matches!(told, ShardSettings::Unclear(ref why) if why.contains(index)), "{told:?}");
            }
            assert!(matches!(told_by(&[(index, "1")]), ShardSettings::Unclear(why) if why.contains(total)));
            assert!(matches!(told_by(&[(total, "2")]), ShardSettings::Unclear(why) if why.contains(index)));
            assert!(matches!(told_by(&[(index, "1"), (total, "0")]), ShardSettings::Unclear(_)));
        }
        assert!(matches!(
            told_by(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "2")]),
            ShardSettings::Unclear(_)
        ));
    }

    #[test]
    fn a_job_that_is_not_parallel_is_the_only_share() {
        assert_eq!(told_by(&[]), ShardSettings::Nothing);
        assert_eq!(told_by(&[("CI_NODE_TOTAL", "1")]), share(1, 1));
        assert_eq!(
            told_by(&[("CI_NODE_TOTAL", "1"), ("JOB_COMPLETION_INDEX", "2"), ("FLOWPROOF_SHARD_TOTAL", "4")]),
            share(3, 4)
        );
    }

    #[test]
    fn two_servers_that_number_a_job_are_not_guessed_between() {
        let both = [
            ("CI_NODE_INDEX", "1"),
            ("CI_NODE_TOTAL", "2"),
            ("JOB_COMPLETION_INDEX", "1"),
            ("FLOWPROOF_SHARD_TOTAL", "2"),
        ];
        assert!(matches!(told_by(&both), ShardSettings::Unclear(why) if why.contains("--shard I/N")));
    }
}
