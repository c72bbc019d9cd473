//! The answer to CreateMultipartUpload:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>.
//!
//! Only the id is wanted of it. Some servers wrap it in an element of another name than S3 has, which
//! the SDK's parser refuses.

use quick_xml::Reader;
use quick_xml::events::Event;

/// What the SDK's parser gets to see.
pub(super) const INSTEAD: &str = r#"<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></InitiateMultipartUploadResult>"#;

/// The id of the upload that was begun, if the answer names one.
pub(super) fn upload_id(xml: &[u8]) -> Option<String> {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).ok()?);
    let mut within = false;
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => within = tag.name().as_ref() == "UploadId",
            Event::Text(piece) if within => text.push_str(&piece),
            Event::CData(piece) if within => text.push_str(&piece),
            Event::GeneralRef(reference) if within => {
                let character = reference.resolve_char_ref().ok()?;
                let entity = || quick_xml::escape::resolve_xml_entity(&reference);
                match character {
                    Some(character) => text.push(character),
                    None => text.push_str(entity()?),
                }
            }
            Event::End(_) if within => return (!text.is_empty()).then_some(text),
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_whatever_it_stands_in() {
        for (xml, id) in [
            (
                "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>UploadId</Key><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>",
                Some("a&b"),
            ),
            (
                "<?xml version='1.0'?>\n<InitiateMultipartUpload>\n  <UploadId>1</UploadId></InitiateMultipartUpload>",
                Some("1"),
            ),
            (
                "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
                None,
            ),
            ("<InitiateMultipartUploadResult/>", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(upload_id(xml.as_bytes()).as_deref(), id, "{xml}");
        }
    }
}
