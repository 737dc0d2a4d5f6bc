//! The limits of Meta's message reference
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>).

use super::{Button, Header, ListRow, MAX_BUTTONS, MAX_ROWS};
use crate::Invalid;
use crate::media::MediaKind;

/// A caption may not stand with audio, and has at most 1,024 characters.
///
/// # Errors
/// Names the field `message`.
pub fn check_caption(kind: MediaKind, caption: Option<&str>) -> Result<(), Invalid> {
    match caption {
        Some(_) if matches!(kind, MediaKind::Audio) => Err(Invalid::new("message", "audio takes no caption")),
        Some(text) => within("message", text, 0, 1_024),
        None => Ok(()),
    }
}

pub(super) fn check_header(header: &Header) -> Result<(), Invalid> {
    match header {
        Header::Text(text) => within("header", text, 1, 60),
        Header::Media { kind: MediaKind::Audio, .. } => {
            Err(Invalid::new("media_type", "media_type must be image, video or document with buttons"))
        }
        Header::Media { kind: MediaKind::Image | MediaKind::Video | MediaKind::Document, .. } => Ok(()),
    }
}

pub(super) fn check_rows(rows: &[ListRow]) -> Result<(), Invalid> {
    if rows.is_empty() || rows.len() > MAX_ROWS {
        return Err(Invalid::new("buttons", format!("buttons must be an array of 1 to {MAX_ROWS} buttons")));
    }
    for (i, row) in rows.iter().enumerate() {
        within("buttons", &row.title, 1, 24)?;
        within("buttons", &row.id, 1, 200)?;
        row.description.as_deref().map_or(Ok(()), |text| within("buttons", text, 0, 72))?;
        if rows[..i].iter().any(|other| other.id == row.id) {
            return Err(Invalid::new("buttons", "buttons must differ in id"));
        }
    }
    Ok(())
}

pub(super) fn check_buttons(buttons: &[Button]) -> Result<(), Invalid> {
    if buttons.is_empty() || buttons.len() > MAX_BUTTONS {
        return Err(Invalid::new("buttons", "buttons must be an array of 1 to 3 buttons"));
    }
    for (i, button) in buttons.iter().enumerate() {
        within("buttons", &button.title, 1, 20)?;
        within("buttons", &button.id, 1, 256)?;
        if buttons[..i].iter().any(|b| b.id == button.id || b.title == button.title) {
            return Err(Invalid::new("buttons", "buttons must differ in id and title"));
        }
    }
    Ok(())
}

pub(super) fn within(field: &str, text: &str, least: usize, most: usize) -> Result<(), Invalid> {
    let length = text.trim().chars().count();
    if length < least {
        return Err(Invalid::new(field, format!("{field} must not be empty")));
    }
    if text.chars().count() > most {
        return Err(Invalid::new(field, format!("{field} may have at most {most} characters")));
    }
    Ok(())
}
