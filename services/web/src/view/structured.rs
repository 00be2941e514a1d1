//! What a search engine is told: schema.org's Event with its offers, as JSON-LD.

use bigtix_contracts::Cents;
use bigtix_contracts::api::tickets::Event;
use serde_json::{Value, json};

use super::time::when;
use crate::site::Site;

/// What an event's offers come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offers {
    pub(crate) lowest: Cents,
    pub(crate) highest: Cents,
    pub(crate) count: usize,
}

/// The text of a script element for the event; `offers` are absent when nothing is for sale.
pub(crate) fn event(site: &Site, event: &Event, offers: Option<Offers>) -> String {
    let url = site.absolute(&format!("/events/{}", event.id));
    let offer = match offers {
        Some(Offers {
            lowest,
            highest,
            count,
        }) => json!({
            "@type": "AggregateOffer",
            "url": url,
            "priceCurrency": site.currency.code,
            "price": site.currency.plain(lowest.0),
            "lowPrice": site.currency.plain(lowest.0),
            "highPrice": site.currency.plain(highest.0),
            "offerCount": count,
            "availability": "https://schema.org/InStock",
        }),
        None => json!({
            "@type": "Offer",
            "url": url,
            "priceCurrency": site.currency.code,
            "availability": "https://schema.org/SoldOut",
        }),
    };
    let mut document = json!({
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.title,
        "url": url,
        "startDate": when(event.starts_at, &event.time_zone).machine,
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {
            "@type": "Place",
            "name": event.venue,
            "address": {"@type": "PostalAddress", "addressLocality": event.city},
        },
        "offers": offer,
    });
    if !event.description.is_empty() {
        document["description"] = event.description.clone().into();
    }
    if let Some(image) = &event.image {
        document["image"] = image.clone().into();
    }
    script(&document)
}

/// The text of a script element for a ticket without an event of the catalogue.
pub(crate) fn product(site: &Site, path: &str, title: &str, price: Cents, is_free: bool) -> String {
    let availability = if is_free { "InStock" } else { "SoldOut" };
    script(&json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": title,
        "url": site.absolute(path),
        "offers": {
            "@type": "Offer",
            "url": site.absolute(path),
            "priceCurrency": site.currency.code,
            "price": site.currency.plain(price.0),
            "availability": format!("https://schema.org/{availability}"),
        },
    }))
}

/// JSON that cannot end the element that it stands in.
fn script(document: &Value) -> String {
    document
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::money::Locale;

    fn symphony(title: &str) -> Event {
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

    fn site() -> Site {
        Site::new("https://shop.test/", Locale::EnUs, None, false)
    }

    #[test]
    fn an_event_says_when_where_and_for_how_much() {
        let offers = Offers {
            lowest: Cents(19_99),
            highest: Cents(40_00),
            count: 3,
        };
        let text = event(&site(), &symphony("Symphony"), Some(offers));
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            document["url"],
            "https://shop.test/events/64b0c0ffee0000000000beef"
        );
        assert_eq!(document["startDate"], "2031-05-01T14:30:00-05:00");
        assert_eq!(document["offers"]["price"], "19.99");
        assert_eq!(document["offers"]["availability"], "https://schema.org/InStock");
        let none = event(&site(), &symphony("Symphony"), None);
        assert!(none.contains("schema.org/SoldOut") && !none.contains("\"price\""));
    }

    #[test]
    fn a_title_cannot_end_the_script() {
        let text = event(&site(), &symphony("</script><script>alert(1)</script>"), None);
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["name"], "</script><script>alert(1)</script>");
    }
}
