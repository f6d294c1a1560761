//! What the features are worth.
//!
//! Learnt by `cargo xtask train-knowledge` from SQuAD 1.1's development set: 600 questions about one half of its articles,
//! each with the five paragraphs that a search over all articles finds, and 300 with their own article left out. The
//! first set of weights makes the sentence with the answer score highest among all sentences (softmax over a question's
//! sentences), the second tells questions whose paragraph was found from those whose article was left out (logistic
//! regression, both kinds weigh the same). On 500 and 100 questions of the other half (`bench-knowledge --only answers`):
//! 0.85 of the questions without their article are refused, and 0.05 of those with it; the paragraph that a question was
//! asked of is cited for 0.86 of all; what is cited has an accepted answer in 0.93, the answer itself in 0.86.

use super::{PIECE, WHOLE};

/// What each feature of a sentence is worth.
#[rustfmt::skip]
pub const CHOICE: [f32; PIECE.len()] = [
    3.240, // cosine with the question
    1.901, // words of the question in it
    4.523, // words of the question in it, the sentence before or its heading
    2.852, // words of the question in its passage
    0.536, // names and numbers of the question in its passage
    1.256, // neighbouring words of the question that are neighbours in it
    0.862, // of the kind that is asked for
    -0.862, // not of the kind that is asked for
    1.599, // place of its passage among the retrieved
    0.313, // length
    -1.630, // says more than the question
    3.053, // best cosine in its passage
    -0.087, // cosine of the sentence before
    2.577, // cosine times words
];

/// What holds before anything is known, and what each feature of a question and its best sentence is worth.
#[rustfmt::skip]
pub const JUDGEMENT: (f32, [f32; WHOLE.len()]) = (-5.064, [
    1.437, // cosine of the best sentence
    -1.497, // words of the question in it, the sentence before or its heading
    -1.103, // words of the question in its passage
    0.371, // names and numbers of the question in its passage
    0.670, // neighbouring words of the question in it
    -0.861, // of the kind that is asked for
    0.020, // not of the kind that is asked for
    -2.375, // weight of the heaviest word of the question that its passage lacks
    1.630, // best cosine of all
    -0.144, // how far it is ahead of the next passage's best
    2.182, // cosine times words of its passage
    0.656, // its own score
]);

/// From here on there is an answer. Lower than the even odds of the training: a question that is asked of a knowledge
/// base is more likely to have its answer there than not.
pub const THRESHOLD: f64 = 0.3;

/// What a second sentence may score below the first and still be told with it. Scores are logarithms of odds: the first is
/// then at most e times as likely to answer as the second.
pub const NEAR: f32 = 1.0;

/// What it adds to a sentence to open the section of a heading, times how close the heading is to the question and how
/// many of its words it has. SQuAD has neither headings nor commands: this and those below were set on questions about
/// documentation, which `docs/answers.md` tells of.
pub const OPENING: f32 = 4.0;

/// What it adds to be a command where a way is asked for.
pub const COMMAND: f32 = 1.5;

/// What it adds to tell to do something, or to name a key to press, where a way is asked for.
pub const ACTION: f32 = 1.0;

/// What it adds to say what a thing is where that is asked for.
pub const DEFINITION: f32 = 1.5;

/// What the heading above a sentence weighs beside it where both are compared with the question.
pub const SECTION: f32 = 0.5;
