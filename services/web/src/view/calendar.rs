//! An event for the buyer's calendar: RFC 5545.

use std::fmt::Write as _;

use bigtix_contracts::api::tickets::Event;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The most bytes that a line may have.
const LINE: usize = 75;

/// A calendar with these events, each with the address of the order that its tickets are in.
pub(crate) fn calendar(events: &[Event], order_url: &str, now: Timestamp) -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//BigTix//Tickets//EN");
    for event in events {
        line(&mut text, "BEGIN:VEVENT");
        line(&mut text, &format!("UID:{}@bigtix", event.id));
        line(&mut text, &format!("DTSTAMP:{}", stamp(now)));
        line(&mut text, &format!("DTSTART:{}", stamp(event.starts_at)));
        line(&mut text, &format!("SUMMARY:{}", escape(&event.title)));
        line(
            &mut text,
            &format!("LOCATION:{}", escape(&format!("{}, {}", event.venue, event.city))),
        );
        line(&mut text, &format!("URL:{order_url}"));
        line(&mut text, "END:VEVENT");
    }
    line(&mut text, "END:VCALENDAR");
    text
}

fn stamp(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Writes a line; what is too long goes on in the next one, after a space.
fn line(text: &mut String, content: &str) {
    let mut room = LINE;
    for c in content.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = LINE - 1;
        }
        text.write_char(c).expect("writing into a string cannot fail");
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(title: &str) -> Event {
        Event {
            id: "64b0c0ffee0000000000beef".parse().unwrap(),
            title: title.into(),
            venue: "Town Hall".into(),
            city: "Springfield".into(),
            starts_at: "2031-05-01T19:30:00Z".parse().unwrap(),
            time_zone: "America/Chicago".into(),
            image: None,
            description: String::new(),
            user_id: "64b0c0ffee0000000000beef".parse().unwrap(),
            tm_event_id: None,
        }
    }

    #[test]
    fn a_calendar_says_when_and_where() {
        let text = calendar(
            &[event("Symphony")],
            "http://shop.test/orders/1",
            Timestamp::UNIX_EPOCH,
        );
        for expected in [
            "BEGIN:VCALENDAR\r\n",
            "DTSTART:20310501T193000Z\r\n",
            "SUMMARY:Symphony\r\n",
            "LOCATION:Town Hall\\, Springfield\r\n",
            "END:VEVENT\r\nEND:VCALENDAR\r\n",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_title_cannot_add_a_line_of_its_own() {
        let text = calendar(
            &[event("A\r\nURL:http://evil.test;x")],
            "u",
            Timestamp::UNIX_EPOCH,
        );
        assert!(
            text.contains("SUMMARY:A\\nURL:http://evil.test\\;x\r\n"),
            "{text}"
        );
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let text = calendar(&[event(&"é".repeat(100))], "u", Timestamp::UNIX_EPOCH);
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains(&"é".repeat(100)));
    }
}
