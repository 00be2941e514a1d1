//! The tickets that somebody has chosen and not reserved: a cookie of ids, so that it needs no account and survives
//! signing in. It promises nothing; only a reservation does.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use bigtix_contracts::TicketId;

const COOKIE: &str = "cart";
/// The most tickets of one order.
pub(crate) const MOST: usize = 20;
const KEPT_DAYS: i64 = 7;

/// Chosen tickets, each once, in the order in which they were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cart(Vec<TicketId>);

/// One more ticket does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Cart {
    pub(crate) fn read(cookies: &CookieJar) -> Self {
        cookies
            .get(COOKIE)
            .map(|cookie| Self::parse(cookie.value()))
            .unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        let mut cart = Self::default();
        for id in text.split('.').filter_map(|id| id.parse().ok()) {
            // What a stranger's cookie has too much of is left out.
            let _ = cart.add(id);
        }
        cart
    }

    pub(crate) fn ids(&self) -> &[TicketId] {
        &self.0
    }

    pub(crate) fn holds(&self, id: TicketId) -> bool {
        self.0.contains(&id)
    }

    /// Adds a ticket; one that is there already stays where it is.
    pub(crate) fn add(&mut self, id: TicketId) -> Result<(), Full> {
        if self.holds(id) {
            return Ok(());
        }
        if self.0.len() == MOST {
            return Err(Full);
        }
        self.0.push(id);
        Ok(())
    }

    pub(crate) fn remove(&mut self, ids: &[TicketId]) {
        self.0.retain(|id| !ids.contains(id));
    }

    /// The cookie that keeps it, or takes an empty one away.
    pub(crate) fn cookie(&self, is_https: bool) -> Cookie<'static> {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        let days = if ids.is_empty() { 0 } else { KEPT_DAYS };
        Cookie::build((COOKIE, ids.join(".")))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_https)
            .max_age(time::Duration::days(days))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TicketId {
        TicketId::from_bytes([number; 12])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut cart = Cart::default();
        for number in [3, 1, 2, 1] {
            cart.add(id(number)).unwrap();
        }
        let cookie = cart.cookie(true);
        assert_eq!(Cart::read(&CookieJar::new().add(cookie.clone())), cart);
        assert_eq!(cart.ids(), [id(3), id(1), id(2)]);
        let text = cookie.to_string();
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(text.contains(attribute), "{text}");
        }
    }

    #[test]
    fn twenty_fit_and_no_more() {
        let mut cart = Cart::default();
        for number in 0..20 {
            cart.add(id(number)).unwrap();
        }
        assert_eq!(cart.add(id(20)), Err(Full));
        assert_eq!(cart.add(id(7)), Ok(()));
        cart.remove(&[id(7)]);
        assert_eq!((cart.ids().len(), cart.add(id(20))), (19, Ok(())));
    }

    #[test]
    fn nonsense_is_an_empty_cart() {
        for text in ["", ".", "x.y", "64b0c0ffee"] {
            assert_eq!(Cart::parse(text), Cart::default(), "{text}");
        }
    }

    #[test]
    fn an_empty_cart_takes_its_cookie_away() {
        assert!(Cart::default().cookie(false).to_string().contains("Max-Age=0"));
    }
}
