//! Pages of results. All results are one page, as in Bedrock, until their text would make the answer too large.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent_runtime::KnowledgeBaseRetrievalResult;

use crate::KnowledgeError;

/// Bytes of text in an answer.
const MOST: usize = 4 << 20;

/// Where the page that `token` asks for begins.
pub(super) fn offset(token: Option<&str>, base: &str, query: &str, number: usize) -> Result<usize, KnowledgeError> {
    let Some(token) = token else { return Ok(0) };
    let parts = token.split_once('.').filter(|(_, mark)| *mark == self::mark(base, query, number));
    let offset = parts.and_then(|(offset, _)| usize::from_str_radix(offset, 16).ok());
    offset.ok_or_else(|| KnowledgeError::Validation("The nextToken is not one of this query's answers.".to_owned()))
}

/// The page from `offset` on, and the token of the next.
pub(super) fn cut(
    results: Vec<KnowledgeBaseRetrievalResult>,
    offset: usize,
    base: &str,
    query: &str,
    number: usize,
) -> (Vec<KnowledgeBaseRetrievalResult>, Option<String>) {
    let all = results.len();
    let mut bytes = 0;
    let page: Vec<_> = results
        .into_iter()
        .skip(offset)
        .take_while(|result| {
            let first = bytes == 0;
            bytes += 1 + result.content.text.as_ref().map_or(0, String::len);
            first || bytes <= MOST
        })
        .collect();
    let next = offset + page.len();
    let token = (next < all && !page.is_empty()).then(|| format!("{next:x}.{}", mark(base, query, number)));
    (page, token)
}

/// What ties a token to its query.
fn mark(base: &str, query: &str, number: usize) -> String {
    // FNV-1a: tokens guard against mixing up queries, not against anybody.
    let bytes = base.bytes().chain([0]).chain(query.bytes()).chain(number.to_be_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}
