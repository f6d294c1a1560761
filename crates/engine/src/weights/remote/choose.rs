//! Which file of a repository, where the caller names none.

/// A GGUF file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub path: String,
    pub size: u64,
    pub sha256: Option<String>,
}

/// From what most people want to what few do: Q4_K_M is what llama.cpp's own tools take by default, above 8 bits
/// there is little left to gain, below 4 much to lose.
const ORDER: [&str; 16] = [
    "Q4_K_M", "Q4_K_S", "Q5_K_M", "Q5_K_S", "Q4_0", "Q4_1", "IQ4_XS", "IQ4_NL", "Q6_K", "Q5_0", "Q5_1", "Q8_0",
    "Q3_K_M", "F16", "BF16", "F32",
];

/// The best file and why it is.
pub(super) fn best(candidates: &[Candidate]) -> Option<(&Candidate, String)> {
    let rank =
        |candidate: &Candidate| ORDER.iter().position(|label| matches(&candidate.path, label)).unwrap_or(ORDER.len());
    let best = candidates.iter().filter(|c| whole(&c.path)).min_by_key(|c| (rank(c), c.size, c.path.clone()))?;
    let count = candidates.iter().filter(|c| whole(&c.path)).count();
    let why = match (count, ORDER.get(rank(best))) {
        (1, _) => format!("{} is the repository's only GGUF file", best.path),
        (_, Some(&"Q4_K_M")) => {
            format!("{}, of {count} files the one at Q4_K_M: the usual balance of size and quality", best.path)
        }
        (_, Some(label)) => format!("{}, of {count} files the nearest to Q4_K_M: {label}", best.path),
        (_, None) => format!("{}, the smallest of {count} files", best.path),
    };
    Some((best, why))
}

/// The file that is called so, or the only one whose name has this part.
pub(super) fn named<'a>(candidates: &'a [Candidate], wanted: &str) -> Option<&'a Candidate> {
    candidates.iter().find(|candidate| candidate.path == wanted).or_else(|| {
        let mut all = candidates.iter().filter(|candidate| whole(&candidate.path) && matches(&candidate.path, wanted));
        let first = all.next();
        first.filter(|_| all.next().is_none())
    })
}

/// Whether a file's name has `label` as a part of its own: Q4_K_M, and not the end of IQ4_K_M.
pub(super) fn matches(path: &str, label: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
    let label = label.to_ascii_uppercase();
    let name = name.strip_suffix(".GGUF").unwrap_or(&name);
    name.match_indices(&label).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| matches!(c, '-' | '.'));
        edge(name[..at].chars().next_back()) && edge(name[at + label.len()..].chars().next())
    })
}

/// Neither one of several parts nor the picture half of a model.
fn whole(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    name.ends_with(".gguf") && !name.contains("-of-") && !name.contains("mmproj") && !name.contains("imatrix")
}
