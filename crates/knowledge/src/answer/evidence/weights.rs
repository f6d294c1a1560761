//! What the features are worth.

use super::{PIECE, WHOLE};

/// What each feature of a sentence is worth.
pub const CHOICE: [f32; PIECE.len()] = [6.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, -1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 2.0];

/// What holds before anything is known, and what each feature of a question and its best sentence is worth.
pub const JUDGEMENT: (f32, [f32; WHOLE.len()]) = (-6.0, [2.0, 1.0, 2.0, 1.0, 1.0, 0.5, -0.5, -1.0, 4.0, 0.5, 3.0, 0.1]);

/// From here on there is an answer.
pub const THRESHOLD: f64 = 0.5;
