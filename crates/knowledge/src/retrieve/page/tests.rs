use outcrop_api::bedrock_agent_runtime::{KnowledgeBaseRetrievalResult, RetrievalResultContent};

use super::{MOST, cut, offset};

fn results(bytes: &[usize]) -> Vec<KnowledgeBaseRetrievalResult> {
    let one = |bytes: &usize| KnowledgeBaseRetrievalResult {
        content: RetrievalResultContent { text: Some("x".repeat(*bytes)), ..Default::default() },
        ..Default::default()
    };
    bytes.iter().map(one).collect()
}

#[test]
fn what_fits_is_one_page() {
    let (page, token) = cut(results(&[10, 10, 10]), 0, "base", "query", 5);
    assert!(page.len() == 3 && token.is_none());
}

#[test]
fn what_does_not_fit_comes_by_token() {
    let sizes = [MOST + 1, MOST / 2, MOST / 4, MOST / 2];
    let (mut from, mut pages) = (0, Vec::new());
    loop {
        let (page, token) = cut(results(&sizes), from, "base", "query", 5);
        pages.push(page.len());
        let Some(token) = token else { break };
        from = offset(Some(&token), "base", "query", 5).expect("an offset");
        assert!(offset(Some(&token), "base", "another", 5).is_err());
    }
    assert_eq!(pages, [1, 2, 1]);
    assert!(offset(Some("x"), "base", "query", 5).is_err());
}
