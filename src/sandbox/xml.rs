//! The little XML that S3 speaks: a writer for answers and a reader for request bodies.
//!
//! Keys may hold control characters. S3 writes them as character references, although XML 1.0
//! forbids those below U+0020, so the writer does the same.

use std::fmt::{Display, Write as _};

use quick_xml::events::Event;

use super::error::{Result, malformed_xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document under construction.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    /// The document with this root element, whose content `fill` writes.
    pub(super) fn document(root: &str, fill: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
        let _ = write!(writer.0, "<{root} xmlns=\"{NAMESPACE}\">");
        fill(&mut writer);
        let _ = write!(writer.0, "</{root}>");
        writer.0
    }

    /// The document with only text in this root element.
    pub(super) fn document_with_text(root: &str, text: &str) -> String {
        Self::document(root, |writer| escape(&mut writer.0, text))
    }

    /// The document with this root element outside any namespace.
    pub(super) fn bare(root: &str, fill: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
        writer.element(root, fill);
        writer.0
    }

    /// An element with elements inside.
    pub(super) fn element(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<{name}>");
        fill(self);
        let _ = write!(self.0, "</{name}>");
    }

    /// An element with text inside.
    pub(super) fn text(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.0, "<{name}>");
        escape(&mut self.0, &value.to_string());
        let _ = write!(self.0, "</{name}>");
    }

    /// An element with text inside, if there is any.
    pub(super) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Text that is XML already.
    pub(super) fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {
                let _ = write!(out, "&#x{:x};", c as u32);
            }
            c => out.push(c),
        }
    }
}

/// An element of a request body.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The name without its namespace prefix.
    pub(super) name: String,
    /// The text directly inside.
    pub(super) text: String,
    /// The elements inside, in order.
    pub(super) children: Vec<Node>,
}

impl Node {
    /// Reads a whole document; its root must have this name.
    pub(super) fn parse(body: &[u8], root: &str) -> Result<Self> {
        let node = Self::parse_any(body)?;
        if node.name == root {
            Ok(node)
        } else {
            Err(malformed_xml())
        }
    }

    /// Reads a whole document, whatever its root is.
    pub(super) fn parse_any(body: &[u8]) -> Result<Self> {
        read(body).ok_or_else(malformed_xml)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name.
    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The first element of this name at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.child(name)
            .or_else(|| self.children.iter().find_map(|child| child.find(name)))
    }
}

fn read(body: &[u8]) -> Option<Node> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(Node {
                name: start.local_name().as_ref().to_owned(),
                ..Node::default()
            }),
            Event::Empty(start) => {
                let node = Node {
                    name: start.local_name().as_ref().to_owned(),
                    ..Node::default()
                };
                open.last_mut()?.children.push(node);
            }
            Event::End(_) => {
                let node = open.pop()?;
                open.last_mut()?.children.push(node);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text),
            Event::CData(text) => open.last_mut()?.text.push_str(&text),
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().ok()? {
                    Some(c) => c,
                    None => match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return None,
                    },
                };
                open.last_mut()?.text.push(c);
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let mut top = open.pop().filter(|_| open.is_empty())?;
    (top.children.len() == 1).then(|| top.children.remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for key in [
            "a",
            "a&b<c>\"d'",
            "\u{1}\r\n\t x ",
            "\u{200e}\u{3000}é😀",
            "]]>",
            " lead and trail ",
        ] {
            let document = Writer::document("Delete", |xml| {
                xml.element("Object", |xml| xml.text("Key", key));
            });
            let node = Node::parse(document.as_bytes(), "Delete").expect("well-formed");
            let object = node.child("Object").expect("an object");
            assert_eq!(object.child_text("Key"), Some(key), "{key:?}");
        }
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for body in ["", "x", "<a>", "<a></b>", "<a/><a/>", "<b/>"] {
            assert!(Node::parse(body.as_bytes(), "a").is_err(), "{body:?}");
        }
    }
}
