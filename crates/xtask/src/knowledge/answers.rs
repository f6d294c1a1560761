//! Cited answers: which sentences answer SQuAD's questions, and whether questions about an article that is not there are
//! refused. Articles are halved: weights are learnt on one half's questions and measured on the other's.

mod fit;

use std::path::Path;

use super::evidence::{CHOICE, Draft, Features, JUDGEMENT, PIECE, THRESHOLD, WHOLE};

use super::squad::{Question, Search, Squad};
use super::vectors::Vectors;
use crate::guardrails::Report;

/// What Retrieve returns where nobody says how many.
const RETRIEVED: usize = 5;
/// Questions that are learnt from.
const LEARNT: usize = 600;
const SEED: u64 = 8;

/// A question with what was retrieved for it.
struct Case<'a> {
    question: &'a Question,
    /// Paragraphs, best first.
    retrieved: Vec<usize>,
    /// Whether its article was there.
    there: bool,
}

struct Bench {
    squad: Squad,
    vectors: Vectors,
}

impl Bench {
    fn load(data: &Path, cache: Option<&Path>) -> Result<Self, String> {
        let (squad, mut vectors) = (Squad::read(data)?, Vectors::load(cache)?);
        let texts: Vec<&str> = squad.paragraphs.iter().map(|paragraph| paragraph.text.as_str()).collect();
        vectors.add(&texts)?;
        Ok(Self { squad, vectors })
    }

    /// Questions about one half of the articles: `count` with their article, then `without` whose article is left out.
    fn cases(&mut self, test: bool, count: usize, without: usize) -> Result<(&Squad, &Vectors, Vec<Case<'_>>), String> {
        let mut articles: Vec<&str> = self.squad.questions.iter().map(|q| q.article.as_str()).collect();
        articles.sort_unstable();
        articles.dedup();
        let mut random = fastrand::Rng::with_seed(SEED);
        random.shuffle(&mut articles);
        let half = articles.len() / 2;
        let own = if test { &articles[half..] } else { &articles[..half] };
        let mut questions: Vec<&Question> =
            self.squad.questions.iter().filter(|q| own.contains(&q.article.as_str())).collect();
        random.shuffle(&mut questions);
        questions.truncate(count + without);
        let texts: Vec<&str> = questions.iter().map(|q| q.text.as_str()).collect();
        self.vectors.add(&texts)?;
        let search = Search::new(&self.squad.paragraphs, &self.vectors);
        let mut cases = Vec::new();
        for (at, question) in questions.into_iter().enumerate() {
            let there = at < count;
            let keep = |at: usize| there || self.squad.paragraphs[at].article != question.article;
            let retrieved = search.find(&question.text, self.vectors.of(&question.text), RETRIEVED, &keep);
            cases.push(Case { question, retrieved, there });
        }
        let mut texts = Vec::new();
        for case in &cases {
            let passages = passages(&self.squad, case);
            texts.extend(Draft::new(&case.question.text, &passages).texts().into_iter().map(str::to_owned));
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.vectors.add(&texts)?;
        Ok((&self.squad, &self.vectors, cases))
    }
}

fn passages<'a>(squad: &'a Squad, case: &Case<'_>) -> Vec<&'a str> {
    case.retrieved.iter().map(|at| squad.paragraphs[*at].text.as_str()).collect()
}

fn vectors_of(draft: &Draft<'_>, vectors: &Vectors) -> Vec<Vec<f32>> {
    draft.texts().into_iter().map(|text| vectors.of(text).to_vec()).collect()
}

/// Whether `text` has one of the accepted answers in it.
fn holds(text: &str, answers: &[String]) -> bool {
    let text = text.to_lowercase();
    answers.iter().any(|answer| text.contains(&answer.to_lowercase()))
}

/// What is known of a case: of every sentence, and whether it holds an answer.
struct Known<'a, 'b> {
    case: &'a Case<'b>,
    features: Vec<Features>,
    can: Vec<bool>,
    right: Vec<bool>,
}

fn known<'a, 'b>(squad: &Squad, case: &'a Case<'b>, draft: &Draft<'_>, vectors: &[Vec<f32>]) -> Known<'a, 'b> {
    let (mut can, mut right) = (Vec::new(), Vec::new());
    for (passage, range, answers) in draft.places() {
        let at = case.retrieved[passage];
        can.push(answers);
        right.push(
            case.there && at == case.question.gold && holds(&squad.paragraphs[at].text[range], &case.question.answers),
        );
    }
    Known { case, features: draft.features(vectors), can, right }
}

fn best(scores: &[f32], can: &[bool]) -> Option<usize> {
    (0..scores.len()).filter(|at| can[*at]).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
}

/// Learns both models and prints them.
pub(crate) fn train(data: &Path, cache: Option<&Path>, report: &mut Report) -> Result<(), String> {
    let mut bench = Bench::load(data, cache)?;
    let (squad, vectors, cases) = bench.cases(false, LEARNT, LEARNT / 2)?;
    let mut groups = Vec::new();
    let mut all = Vec::new();
    for case in &cases {
        let passages = passages(squad, case);
        let draft = Draft::new(&case.question.text, &passages);
        let known = known(squad, case, &draft, &vectors_of(&draft, vectors));
        if known.right.iter().any(|right| *right) {
            let rows = known.features.iter().zip(&known.can).zip(&known.right);
            groups.push(rows.filter(|((_, can), _)| **can).map(|((f, _), right)| (f.to_vec(), *right)).collect());
        }
        all.push(known);
    }
    let choice = fit::choice(&groups, PIECE.len());
    let weights: [f32; PIECE.len()] = std::array::from_fn(|at| choice[at]);
    let mut rows = Vec::new();
    for known in &all {
        let passages = passages(squad, known.case);
        let draft = Draft::new(&known.case.question.text, &passages);
        let scores = draft.scores(&known.features, &weights);
        let Some(best) = best(&scores, &known.can) else { continue };
        // What was not retrieved cannot be told from what is not there, and is neither right nor wrong to refuse.
        let retrieved = known.case.retrieved.contains(&known.case.question.gold);
        if known.case.there == retrieved {
            rows.push((draft.whole(&known.features, &scores, best).to_vec(), known.case.there));
        }
    }
    let (bias, judgement) = fit::logistic(&rows, WHOLE.len());
    report.line("sentence:")?;
    for (name, weight) in PIECE.iter().zip(&choice) {
        report.line(&format!("    {weight:.3}, // {name}"))?;
    }
    report.line(&format!("whole, bias {bias:.3}:"))?;
    for (name, weight) in WHOLE.iter().zip(&judgement) {
        report.line(&format!("    {weight:.3}, // {name}"))?;
    }
    let judgement: [f32; WHOLE.len()] = std::array::from_fn(|at| judgement[at]);
    report.line("\non the half that was learnt from:")?;
    measure(squad, vectors, &cases, &weights, (bias, judgement), report)?;
    let (squad, vectors, cases) = bench.cases(true, 500, 100)?;
    report.line("\non the other half:")?;
    measure(squad, vectors, &cases, &weights, (bias, judgement), report)
}

fn measure(
    squad: &Squad,
    vectors: &Vectors,
    cases: &[Case<'_>],
    choice: &[f32; PIECE.len()],
    (bias, judgement): (f32, [f32; WHOLE.len()]),
    report: &mut Report,
) -> Result<(), String> {
    let mut there: Vec<(f64, bool, bool, bool)> = Vec::new();
    let mut absent: Vec<f64> = Vec::new();
    for case in cases {
        let passages = passages(squad, case);
        let draft = Draft::new(&case.question.text, &passages);
        let known = known(squad, case, &draft, &vectors_of(&draft, vectors));
        let scores = draft.scores(&known.features, choice);
        let Some(best) = best(&scores, &known.can) else { continue };
        let whole = draft.whole(&known.features, &scores, best);
        let sum: f32 = bias + whole.iter().zip(judgement).map(|(x, w)| x * w).sum::<f32>();
        let confidence = f64::from(1.0 / (1.0 + (-sum).exp()));
        let place = draft.places().nth(best).map_or(usize::MAX, |(passage, _, _)| passage);
        if case.there {
            let cited = case.retrieved[place] == case.question.gold;
            let retrieved = case.retrieved.contains(&case.question.gold);
            there.push((confidence, retrieved, cited, known.right[best]));
        } else {
            absent.push(confidence);
        }
    }
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let count = |by: &dyn Fn(&(f64, bool, bool, bool)) -> bool| there.iter().filter(|row| by(row)).count();
    report.line(&format!(
        "{} + {}: gold retrieved {:.3}, first sentence's passage {:.3}, first sentence {:.3}",
        there.len(),
        absent.len(),
        share(count(&|row| row.1), there.len()),
        share(count(&|row| row.2), there.len()),
        share(count(&|row| row.3), there.len()),
    ))?;
    for at in [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7] {
        let answered = count(&|row| row.0 >= at);
        report.line(&format!(
            "at {at}: refused {:.3} of the absent, {:.3} of the others; cited right {:.3} of all, {:.3} of the answered",
            share(absent.iter().filter(|c| **c < at).count(), absent.len()),
            share(there.len() - answered, there.len()),
            share(count(&|row| row.0 >= at && row.2), there.len()),
            share(count(&|row| row.0 >= at && row.2), answered),
        ))?;
    }
    Ok(())
}

/// Measures what ships.
pub(crate) fn bench(data: &Path, cache: Option<&Path>, report: &mut Report) -> Result<(), String> {
    let mut bench = Bench::load(data, cache)?;
    let (squad, vectors, cases) = bench.cases(true, 500, 100)?;
    report.line(&format!("threshold {THRESHOLD}"))?;
    measure(squad, vectors, &cases, &CHOICE, JUDGEMENT, report)
}
