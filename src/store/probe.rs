//! What a store answers when it is asked, before anything depends on it.

use super::StoreError;

/// One question, which changes nothing, and its answer.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was asked: an S3 operation's name (`HeadBucket`) or a verb (`open`).
    pub asked: &'static str,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a question.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is as it should be; how it is, in a few words.
    Fine(String),
    /// It could not be told, or is odd, and a run may work all the same.
    Unclear(String),
    /// A run would fail.
    Wrong {
        /// With what.
        error: Box<StoreError>,
        /// What may be done, where the error does not say it.
        remedy: String,
    },
}

impl Finding {
    /// All is well.
    pub(super) fn fine(asked: &'static str, words: impl Into<String>) -> Self {
        let answer = Answer::Fine(words.into());
        Self { asked, answer }
    }

    /// Not all is well, and yet a run may work.
    pub(super) fn unclear(asked: &'static str, words: impl Into<String>) -> Self {
        let answer = Answer::Unclear(words.into());
        Self { asked, answer }
    }

    /// A run would fail with this.
    pub(super) fn wrong(error: StoreError, remedy: impl Into<String>) -> Self {
        Self {
            asked: error.operation,
            answer: Answer::Wrong {
                error: Box::new(error),
                remedy: remedy.into(),
            },
        }
    }
}
