//! Cited answers: which sentences answer SQuAD's questions, and whether questions about an article that is not there are
//! refused. Articles are halved: weights are learnt on one half's questions and measured on the other's.

mod fit;

use std::path::Path;

use outcrop_knowledge::answer::evidence::{
    CHOICE, Draft, Features, Found, JUDGEMENT, NEAR, PIECE, Source, THRESHOLD, WHOLE,
};

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

fn passages<'a>(squad: &'a Squad, case: &Case<'_>) -> Vec<Source<'a>> {
    case.retrieved.iter().map(|at| squad.paragraphs[*at].text.as_str().into()).collect()
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
    measure(squad, vectors, &cases, (&weights, (bias, judgement)), report)?;
    let (squad, vectors, cases) = bench.cases(true, 500, 100)?;
    report.line("\non the other half:")?;
    measure(squad, vectors, &cases, (&weights, (bias, judgement)), report)
}

/// What an answer is worth.
#[derive(Default)]
struct Score {
    answered: usize,
    gold: usize,
    cited: usize,
    supported: usize,
    held: usize,
}

fn measure(
    squad: &Squad,
    vectors: &Vectors,
    cases: &[Case<'_>],
    weights: (&[f32; PIECE.len()], (f32, [f32; WHOLE.len()])),
    report: &mut Report,
) -> Result<(), String> {
    let there = cases.iter().filter(|case| case.there).count();
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    for (threshold, near) in [THRESHOLDS, NEARS].concat() {
        let (mut score, mut wrong) = (Score::default(), 0);
        for case in cases {
            let passages = passages(squad, case);
            let draft = Draft::new(&case.question.text, &passages);
            let verdict = draft.weigh_by(&vectors_of(&draft, vectors), weights);
            let answers = verdict.confidence >= threshold && !verdict.found.is_empty();
            if !case.there {
                wrong += usize::from(answers);
                continue;
            }
            score.gold += usize::from(case.retrieved.contains(&case.question.gold));
            if !answers {
                continue;
            }
            let chosen = verdict.chosen(&passages, near);
            score.answered += 1;
            score.cited += usize::from(chosen.iter().any(|one| case.retrieved[one.passage] == case.question.gold));
            score.supported +=
                usize::from(chosen.iter().any(|one| holds(passages[one.passage].text, &case.question.answers)));
            let says = |one: &&Found| holds(&passages[one.passage].text[one.range.clone()], &case.question.answers);
            score.held += usize::from(chosen.iter().any(says));
        }
        report.row(
            &format!("threshold {threshold}, near {near}: gold among the retrieved {:.3}", share(score.gold, there)),
            &format!(
                "absent refused {:.3}; others refused {:.3}; gold cited {:.3} of the answered, {:.3} of all; cited text \
                 has an accepted answer {:.3}; the answer has {:.3}",
                1.0 - share(wrong, cases.len() - there),
                1.0 - share(score.answered, there),
                share(score.cited, score.answered),
                share(score.cited, there),
                share(score.supported, score.answered),
                share(score.held, score.answered),
            ),
            "refused 0.6, at most 0.15; cited 0.85; supported 0.90",
        )?;
    }
    Ok(())
}

/// Thresholds with the sentences that ship, then the sentences with the threshold that ships.
const THRESHOLDS: &[(f64, f32)] = &[(0.1, NEAR), (0.2, NEAR), (0.3, NEAR), (0.4, NEAR), (0.5, NEAR)];
const NEARS: &[(f64, f32)] =
    &[(THRESHOLD, 0.0), (THRESHOLD, 0.5), (THRESHOLD, NEAR), (THRESHOLD, 1.5), (THRESHOLD, 9.0)];

/// Measures what ships.
pub(crate) fn bench(data: &Path, cache: Option<&Path>, report: &mut Report) -> Result<(), String> {
    let mut bench = Bench::load(data, cache)?;
    let (squad, vectors, cases) = bench.cases(true, 500, 100)?;
    measure(squad, vectors, &cases, (&CHOICE, JUDGEMENT), report)
}
