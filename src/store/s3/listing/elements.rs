//! XML as a walk over its elements and their texts.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::page::entity;

/// Where an element begins or ends; `N` is what its name means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<N> {
    Open(N),
    Close(N),
}

/// The elements of a document in their order.
pub(super) struct Elements<'x, N> {
    reader: Reader<&'x [u8]>,
    meaning: fn(&str) -> N,
    /// An element that began and ended at once.
    closing: Option<N>,
    /// What stood in the element that ends now, if nothing but text did.
    pub(super) text: String,
}

impl<'x, N: Copy> Elements<'x, N> {
    /// Of this document, whose names mean this.
    pub(super) fn of(xml: &'x str, meaning: fn(&str) -> N) -> Self {
        Self {
            reader: Reader::from_str(xml),
            meaning,
            closing: None,
            text: String::new(),
        }
    }

    /// The next step; what is wrong with the document comes back in words.
    pub(super) fn next(&mut self) -> Result<Option<Step<N>>, String> {
        if let Some(name) = self.closing.take() {
            return Ok(Some(Step::Close(name)));
        }
        loop {
            match self
                .reader
                .read_event()
                .map_err(|error| format!("the listing is not XML: {error}"))?
            {
                Event::Start(tag) => {
                    self.text.clear();
                    return Ok(Some(Step::Open((self.meaning)(tag.name().as_ref()))));
                }
                Event::Empty(tag) => {
                    self.text.clear();
                    let name = (self.meaning)(tag.name().as_ref());
                    self.closing = Some(name);
                    return Ok(Some(Step::Open(name)));
                }
                Event::End(tag) => {
                    return Ok(Some(Step::Close((self.meaning)(tag.name().as_ref()))));
                }
                Event::Text(piece) => self.text.push_str(&piece),
                Event::CData(piece) => self.text.push_str(&piece),
                Event::GeneralRef(reference) => {
                    let character = match reference
                        .resolve_char_ref()
                        .map_err(|error| format!("the listing has a bad character: {error}"))?
                    {
                        Some(character) => character,
                        None => entity(&reference)?,
                    };
                    self.text.push(character);
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }
}
