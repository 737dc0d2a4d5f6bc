//! Media files: the kinds Meta takes, their sizes, and how to tell them apart.

use crate::Invalid;

/// The kinds of media a message may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// JPEG or PNG, up to 5 MB.
    Image,
    /// MP4 or 3GPP, up to 16 MB.
    Video,
    /// AAC, AMR, MP3, MP4 or OGG, up to 16 MB.
    Audio,
    /// PDF, text or office documents, up to 100 MB.
    Document,
}

/// Largest file that `upload_media` takes, in bytes (SendApp: «massimo 10 MB»).
pub const MAX_UPLOAD: usize = 10_000_000;

impl MediaKind {
    /// As the contracts and Meta write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }

    /// Reads `image`, `video`, `audio` or `document`.
    ///
    /// # Errors
    /// Names the field `media_type`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.trim().to_ascii_lowercase().as_str() {
            "image" => Ok(Self::Image),
            "video" => Ok(Self::Video),
            "audio" => Ok(Self::Audio),
            "document" => Ok(Self::Document),
            _ => Err(Invalid::new("media_type", "media_type must be image, video, audio or document")),
        }
    }

    /// Largest size that Meta takes, in bytes.
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Image => 5_000_000,
            Self::Video | Self::Audio => 16_000_000,
            Self::Document => 100_000_000,
        }
    }

    /// The kind of a MIME type that Meta takes.
    pub fn of_mime(mime: &str) -> Option<Self> {
        match mime.split(';').next().unwrap_or_default().trim() {
            "image/jpeg" | "image/png" => Some(Self::Image),
            "video/mp4" | "video/3gpp" => Some(Self::Video),
            "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => Some(Self::Audio),
            "application/pdf"
            | "text/plain"
            | "application/msword"
            | "application/vnd.ms-excel"
            | "application/vnd.ms-powerpoint"
            | "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
                Some(Self::Document)
            }
            _ => None,
        }
    }
}

/// The MIME type of a file by its first bytes, or `None` for one that Meta does
/// not take.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    if let Some(kind) = infer::get(bytes) {
        return match kind.mime_type() {
            "audio/x-flac" | "audio/x-wav" => None,
            "audio/m4a" => Some("audio/mp4"),
            "application/x-ole-storage" => Some("application/msword"),
            mime => MediaKind::of_mime(mime).map(|_| mime),
        };
    }
    let is_text = !bytes.is_empty() && !bytes.contains(&0) && is_utf8_so_far(bytes);
    is_text.then_some("text/plain")
}

/// Whether the bytes are the beginning of a text: the last character may be cut.
fn is_utf8_so_far(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

/// Whether the type that a sender claims fits the one the bytes show. Office
/// documents are ZIP or OLE containers, and an MP4 may be audio or video, so the
/// claim decides within such a family.
pub fn agrees(claimed: &str, found: &str) -> bool {
    let claimed = claimed.split(';').next().unwrap_or_default().trim();
    family(claimed) == family(found)
}

fn family(mime: &str) -> &str {
    match mime {
        "audio/mp4" | "video/mp4" | "audio/m4a" | "audio/x-m4a" => "mp4",
        "audio/mp3" => "audio/mpeg",
        "image/jpg" => "image/jpeg",
        "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint" => "ole",
        other if other.starts_with("application/vnd.openxmlformats") => "ooxml",
        other => other,
    }
}

/// The MIME type that a file's ending claims.
pub fn mime_of_name(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "mp4" => "video/mp4",
        "3gp" => "video/3gpp",
        "aac" => "audio/aac",
        "amr" => "audio/amr",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "ogg" | "opus" => "audio/ogg",
        "pdf" => "application/pdf",
        "txt" | "csv" => "text/plain",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => return None,
    })
}

/// What a checked file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Its MIME type.
    pub mime: &'static str,
    /// Its kind.
    pub kind: MediaKind,
}

/// Checks an upload: its bytes are of a type Meta takes, agree with its name and
/// with the type its sender claims, and are within the size of their kind.
///
/// # Errors
/// Names the field `file`.
pub fn check_upload(name: &str, claimed: Option<&str>, bytes: &[u8]) -> Result<Checked, Invalid> {
    check_content(name, claimed, bytes, bytes.len() as u64)
}

/// Checks a file of `size` bytes by its first ones.
///
/// # Errors
/// Names the field `file`.
pub fn check_content(name: &str, claimed: Option<&str>, start: &[u8], size: u64) -> Result<Checked, Invalid> {
    let refuse = |message: String| Err(Invalid::new("file", message));
    if start.is_empty() {
        return refuse("file must not be empty".to_owned());
    }
    let Some(found) = sniff(start) else {
        return refuse("file must be an image, a video, audio or a document that WhatsApp takes".to_owned());
    };
    let claims = [mime_of_name(name), claimed.filter(|c| *c != "application/octet-stream")];
    for claim in claims.into_iter().flatten() {
        let csv_as_text = claim == "text/csv" && found == "text/plain";
        if !csv_as_text && !agrees(claim, found) {
            return refuse(format!("file claims to be {claim}, but its content is {found}"));
        }
    }
    let mime = mime_of_name(name).filter(|m| agrees(m, found)).unwrap_or(found);
    let Some(kind) = MediaKind::of_mime(mime) else {
        return refuse(format!("{mime} is not a type that WhatsApp takes"));
    };
    if size > kind.max_bytes() {
        return refuse(format!("{} may have at most {} bytes", kind.as_str(), kind.max_bytes()));
    }
    Ok(Checked { mime, kind })
}

/// Checks what is said of a file before it is uploaded.
///
/// # Errors
/// Names `content_type` or `size`.
pub fn check_announced(name: &str, content_type: &str, size: u64) -> Result<Checked, Invalid> {
    let refuse = |message: String| Err(Invalid::new("content_type", message));
    let mime = match mime_of_name(name) {
        Some(mime) if !agrees(content_type, mime) => {
            return refuse(format!("content_type is {content_type}, but filename says {mime}"));
        }
        Some(mime) => mime,
        None => known_mime(content_type).unwrap_or_default(),
    };
    let Some(kind) = MediaKind::of_mime(mime) else {
        return refuse(format!("{content_type} is not a type that WhatsApp takes"));
    };
    if size == 0 || size > kind.max_bytes() {
        let message = format!("size must be from 1 to {} bytes for {}", kind.max_bytes(), kind.as_str());
        return Err(Invalid::new("size", message));
    }
    Ok(Checked { mime, kind })
}

/// The type as we keep it, for one that Meta takes.
fn known_mime(content_type: &str) -> Option<&'static str> {
    const ENDINGS: [&str; 17] = [
        "jpg", "png", "mp4", "3gp", "aac", "amr", "mp3", "m4a", "ogg", "pdf", "txt", "doc", "xls", "ppt",
        "docx", "xlsx", "pptx",
    ];
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    let known = ENDINGS.iter().filter_map(|ending| mime_of_name(&format!("a.{ending}")));
    known.into_iter().find(|mime| *mime == bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0];
    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 13, 10, 26, 10];

    #[test]
    fn content_decides_and_claims_must_agree() {
        assert_eq!(check_upload("a.jpg", Some("image/jpeg"), JPEG).unwrap().kind, MediaKind::Image);
        assert_eq!(check_upload("photo", None, PNG).unwrap().mime, "image/png");
        assert_eq!(check_upload("list.txt", Some("text/plain"), b"ciao").unwrap().kind, MediaKind::Document);
        for (name, claimed, bytes) in [
            ("a.png", None, JPEG),
            ("a.jpg", Some("application/pdf"), JPEG),
            ("a.jpg", None, b"hello".as_slice()),
            ("a.bin", None, &[0, 1, 2, 0]),
            ("a.jpg", None, b""),
        ] {
            assert_eq!(check_upload(name, claimed, bytes).unwrap_err().field, "file", "{name}");
        }
    }

    #[test]
    fn what_is_announced_must_be_taken_by_whatsapp() {
        assert_eq!(check_announced("a.jpg", "image/jpg", 9).unwrap().mime, "image/jpeg");
        assert_eq!(check_announced("film", "video/mp4", 16_000_000).unwrap().kind, MediaKind::Video);
        for (name, content_type, size, field) in [
            ("a.jpg", "video/mp4", 9, "content_type"),
            ("a.exe", "application/x-msdownload", 9, "content_type"),
            ("a.jpg", "image/jpeg", 0, "size"),
            ("a.jpg", "image/jpeg", 5_000_001, "size"),
        ] {
            let refused = check_announced(name, content_type, size).unwrap_err();
            assert_eq!(refused.field, field, "{name} {content_type}");
        }
    }

    #[test]
    fn a_text_may_be_cut_within_a_character() {
        assert_eq!(sniff(&"perché".as_bytes()[..6]), Some("text/plain"));
        assert_eq!(sniff(b"perch\xe9 no"), None);
    }

    #[test]
    fn each_kind_has_its_size() {
        let mut big = JPEG.to_vec();
        big.resize(5_000_001, 0);
        assert!(check_upload("a.jpg", None, &big).unwrap_err().message.contains("5000000"));
    }
}
