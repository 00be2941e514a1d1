//! What a ticket shows at the door: a code for a scanner, and the same code for people.

use bigtix_contracts::OrderId;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// A ticket's code, and a picture of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoorCode {
    /// In groups of four, as it is read aloud.
    pub(crate) text: String,
    /// An SVG: black on white whatever the theme, with a quiet zone around it.
    pub(crate) svg: String,
}

/// The code of one of an order's tickets, counted from 1. The order's id is known to its buyer alone.
pub(crate) fn door_code(order: OrderId, number: usize) -> DoorCode {
    let content = format!("{order}{number:02}").to_uppercase();
    DoorCode {
        text: grouped(&content),
        svg: picture(&content),
    }
}

fn grouped(content: &str) -> String {
    let mut text = String::with_capacity(content.len() * 5 / 4);
    for (place, c) in content.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

fn picture(content: &str) -> String {
    let code = QrCode::with_error_correction_level(content, EcLevel::M)
        .expect("26 letters and digits fit into the smallest codes");
    let picture = code
        .render::<svg::Color<'_>>()
        .quiet_zone(true)
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .build();
    // It stands in the page, where there is no declaration.
    match picture.find("<svg") {
        Some(start) => picture[start..].to_owned(),
        None => picture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_a_quiet_zone_and_the_words_say_the_same() {
        let order: OrderId = "64b0c0ffee0000000000beef".parse().unwrap();
        let code = door_code(order, 2);
        assert_eq!(code.text, "64B0 C0FF EE00 0000 0000 BEEF 02");
        assert!(code.svg.starts_with("<svg") && code.svg.contains("#fff"));
        assert!(!code.svg.contains("style="), "{}", &code.svg[..200]);
        assert_ne!(code, door_code(order, 1));
        // Four modules on each side belong to the code: what is dark begins after them.
        let bare = QrCode::with_error_correction_level(b"64B0C0FFEE0000000000BEEF02", EcLevel::M).unwrap();
        let (modules, quiet) = (bare.width(), 8);
        let side = 240_usize.div_ceil(modules + quiet) * (modules + quiet);
        assert!(
            code.svg.contains(&format!("width=\"{side}\"")),
            "{}",
            &code.svg[..200]
        );
    }
}
