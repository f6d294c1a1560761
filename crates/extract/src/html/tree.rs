//! A page as a tree, built in time that grows with its bytes alone, whatever they are.
//!
//! Where elements stand in one another deeper than browsers allow, further tags are dropped and their text is kept: the
//! parser looks through all open elements at every tag.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, ExpandedName, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, QualName};
use markup5ever_rcdom::{Handle, Node, NodeData, RcDom};

use super::walk::is_block;

/// Elements in one another, at most: what Blink and WebKit allow.
const DEEPEST: usize = 512;
/// Elements that are moved out of tables to where they belong, at most; further ones go behind the table. Each looks for
/// its table among all that stands beside it.
const FOSTERED: usize = 10_000;
/// Elements that the parser may make without a tag for each (it opens bold text again in every paragraph), for each tag
/// and from the start.
const MADE: (usize, usize) = (4, 10_000);

/// Reads a page.
pub(super) fn tree(source: &str) -> RcDom {
    let builder = TreeBuilder::new(Sink::default(), TreeBuilderOpts::default());
    let shallow = Shallow { builder, tags: Cell::new(0), dropped: RefCell::default() };
    let tokenizer = Tokenizer::new(shallow, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(source));
    // It stops for scripts, which nobody runs here.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.builder.sink.dom
}

/// Passes a page's tags on as far as the tree may grow.
struct Shallow {
    builder: TreeBuilder<Handle, Sink>,
    tags: Cell<usize>,
    /// Names of tags that were not passed on, and have not ended.
    dropped: RefCell<Vec<LocalName>>,
}

impl Shallow {
    fn is_full(&self) -> bool {
        let sink = &self.builder.sink;
        sink.depth.get() >= DEEPEST || sink.made.get() > self.tags.get() * MADE.0 + MADE.1
    }

    /// Whether nothing can stand inside of the element: those whose text is no markup among them, because the parser says
    /// where they end.
    fn is_leaf(&self, tag: &Tag) -> bool {
        if self.builder.adjusted_current_node_present_but_not_in_html_namespace() {
            return tag.self_closing;
        }
        let void =
            ["br", "hr", "img", "input", "wbr", "col", "area", "base", "embed", "link", "meta", "source", "track"];
        let raw =
            ["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "textarea", "title", "plaintext"];
        void.contains(&&*tag.name) || raw.contains(&&*tag.name)
    }

    /// Passes an end tag on, and where the tree is full looks how much of it has ended: an empty comment tells where it
    /// would stand. Behind the body it stands elsewhere than elements do.
    fn end(&self, tag: Tag, line: u64) -> TokenSinkResult<Handle> {
        let probes = self.is_full() && !matches!(&*tag.name, "body" | "html" | "frameset");
        let result = self.builder.process_token(Token::TagToken(tag), line);
        if probes {
            self.builder.sink.probing.set(true);
            let _ = self.builder.process_token(Token::CommentToken(StrTendril::new()), line);
            self.builder.sink.probing.set(false);
        }
        result
    }
}

impl TokenSink for Shallow {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        let Token::TagToken(tag) = token else { return self.builder.process_token(token, line) };
        match tag.kind {
            TagKind::StartTag => {
                self.tags.set(self.tags.get() + 1);
                if !self.is_full() || self.is_leaf(&tag) {
                    return self.builder.process_token(Token::TagToken(tag), line);
                }
                self.dropped.borrow_mut().push(tag.name.clone());
            }
            TagKind::EndTag => {
                let mut dropped = self.dropped.borrow_mut();
                match dropped.iter().rposition(|name| *name == tag.name) {
                    Some(at) => dropped.truncate(at),
                    None => {
                        dropped.clear();
                        return self.end(tag, line);
                    }
                }
            }
        }
        if is_block(&tag.name) {
            return self.builder.process_token(Token::CharacterTokens(StrTendril::from(" ")), line);
        }
        TokenSinkResult::Continue
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Builds the tree, and knows how deep it is where the last thing was added.
#[derive(Default)]
struct Sink {
    dom: RcDom,
    depths: RefCell<HashMap<*const Node, usize>>,
    depth: Cell<usize>,
    probing: Cell<bool>,
    made: Cell<usize>,
    fostered: Cell<usize>,
}

impl Sink {
    fn depth(&self, node: &Handle) -> usize {
        self.depths.borrow().get(&Rc::as_ptr(node)).copied().unwrap_or(0)
    }

    fn added(&self, parent: usize, child: &NodeOrText<Handle>) {
        match child {
            NodeOrText::AppendNode(node) if matches!(node.data, NodeData::Element { .. }) => {
                self.depths.borrow_mut().insert(Rc::as_ptr(node), parent + 1);
                self.depth.set(parent + 1);
            }
            NodeOrText::AppendNode(_) if !self.probing.get() => {}
            _ => self.depth.set(parent),
        }
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = RcDom;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> RcDom {
        self.dom
    }

    // Every page has some; nobody reads them.
    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.dom.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        self.dom.elem_name(target)
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Handle {
        self.made.set(self.made.get() + 1);
        self.dom.create_element(name, attrs, flags)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.dom.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.dom.create_pi(target, data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.added(self.depth(parent), &child);
        self.dom.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        self.added(self.depth(element), &child);
        let parent = element.parent.take();
        let place = parent.as_ref().and_then(std::rc::Weak::upgrade);
        element.parent.set(parent);
        self.fostered.set(self.fostered.get() + 1);
        match place {
            Some(place) if self.fostered.get() > FOSTERED => self.dom.append(&place, child),
            _ => self.dom.append_based_on_parent_node(element, previous, child),
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.dom.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let contents = self.dom.get_template_contents(target);
        let depth = self.depth(target);
        self.depths.borrow_mut().insert(Rc::as_ptr(&contents), depth);
        contents
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        self.dom.same_node(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.dom.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        self.dom.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        self.dom.add_attrs_if_missing(target, attrs);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.dom.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        self.dom.reparent_children(node, parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        self.dom.is_mathml_annotation_xml_integration_point(target)
    }
}
