//! Which part of a load test this process runs: from a flag, or from the engine that started it.

use std::str::FromStr;

use load::MOST_SHARDS;

/// One of several parts of the same test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which, from 0.
    pub(super) index: usize,
    /// Of how many.
    pub(super) count: usize,
}

impl Part {
    /// The whole test.
    pub(super) const WHOLE: Self = Self { index: 0, count: 1 };

    /// Says whether there are others.
    pub(super) fn is_partial(self) -> bool {
        self.count > 1
    }

    fn new(index: usize, count: usize) -> Result<Self, String> {
        if index >= count {
            return Err(format!("there is no part {index} of {count}: count from 0"));
        }
        if u32::try_from(count).is_ok_and(|count| count <= MOST_SHARDS) {
            Ok(Self { index, count })
        } else {
            Err(format!("a test has {MOST_SHARDS} parts at most"))
        }
    }

    /// Returns the part that Slurm or Kubernetes gave to this process; `None` without either.
    ///
    /// Slurm's array jobs tell index and count; Kubernetes' Indexed Jobs tell the index alone, so
    /// that the count must come with `--shards`.
    pub(super) fn of_engine(
        variable: impl Fn(&str) -> Option<String>,
        count: Option<usize>,
    ) -> Result<Option<Self>, String> {
        let number = |name: &str| match variable(name) {
            None => Ok(None),
            Some(text) => text
                .trim()
                .parse::<usize>()
                .map(Some)
                .map_err(|_| format!("{name}={text:?} is no number")),
        };
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let tasks = count.or(number("SLURM_ARRAY_TASK_COUNT")?);
            let count = tasks.ok_or("SLURM_ARRAY_TASK_COUNT is missing: give --shards")?;
            let part = Self::new(id.saturating_sub(least) / step, count);
            return part.map(Some).map_err(|_| {
                format!(
                    "SLURM_ARRAY_TASK_ID={id} is no part of {count}: give the array as a range, such \
                     as --array=0-3"
                )
            });
        }
        match (number("JOB_COMPLETION_INDEX")?, count) {
            (None, _) => Ok(None),
            (Some(index), Some(count)) => Self::new(index, count).map(Some),
            (Some(_), None) => Err(
                "Kubernetes does not say how many parts the job has: give --shards, the same \
                 number as `completions`"
                    .to_owned(),
            ),
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (index, count) = text
            .split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)))
            .ok_or("give the part and how many there are, such as 0/4")?;
        Self::new(index, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], count: Option<usize>) -> Result<Option<Part>, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        Part::of_engine(find, count)
    }

    #[test]
    fn slurm_counts_from_anywhere_in_any_step() {
        let array = [
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(of(&array, None), Ok(Some(Part { index: 2, count: 4 })));
        // --array=1,3,7
        let list = [
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
        ];
        assert!(of(&list, None).expect_err("no range").contains("a range"));
    }

    #[test]
    fn kubernetes_needs_the_count() {
        let job = [("JOB_COMPLETION_INDEX", "3")];
        assert_eq!(of(&job, Some(4)), Ok(Some(Part { index: 3, count: 4 })));
        assert!(of(&job, None).expect_err("no count").contains("--shards"));
        assert!(of(&job, Some(3)).is_err());
        assert_eq!(of(&[], None), Ok(None));
    }

    #[test]
    fn parts_are_written_as_fractions_from_nought() {
        assert_eq!("1/4".parse(), Ok(Part { index: 1, count: 4 }));
        for text in ["4/4", "1", "a/b", "1/0", "1/100001"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
