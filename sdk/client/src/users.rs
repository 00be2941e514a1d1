//! Users and sessions.

use bigtix_contracts::api::auth::{CurrentUser, CurrentUserAnswer, User};
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde::Serialize;

use crate::call::{Answer, json, nothing};
use crate::{Call, Client, SetCookie, Token};

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: User,
    /// What proves it.
    pub token: Token,
    /// What tells a browser, with the lifetime and the attributes that the shop gave it.
    pub cookie: SetCookie,
}

#[derive(Serialize)]
struct Credentials<'a> {
    email: &'a str,
    password: &'a str,
}

impl Client {
    /// Makes an account, and a session with it.
    pub fn sign_up(&self, email: &str, password: &str) -> Call<Session> {
        self.post_credentials("signup", email, password)
    }

    /// Begins a session.
    pub fn sign_in(&self, email: &str, password: &str) -> Call<Session> {
        self.post_credentials("signin", email, password)
    }

    fn post_credentials(&self, path: &str, email: &str, password: &str) -> Call<Session> {
        let url = format!("{}/api/users/{path}", self.bases.auth);
        Call::new(self, Method::POST, url, read_session).body(&Credentials { email, password })
    }

    /// Ends the session of a browser. A token stays valid until its time is over.
    pub fn sign_out(&self) -> Call<()> {
        let url = format!("{}/api/users/signout", self.bases.auth);
        Call::new(self, Method::POST, url, nothing)
    }

    /// Whom the shop takes this client for; `None` for a visitor.
    pub fn current_user(&self) -> Call<Option<CurrentUser>> {
        let url = format!("{}/api/users/currentuser", self.bases.auth);
        Call::new(self, Method::GET, url, |answer| {
            json::<CurrentUserAnswer>(answer).map(|answer| answer.current_user)
        })
    }
}

fn read_session(answer: Answer) -> Result<Session, String> {
    let cookies = answer.headers.get_all(SET_COOKIE).iter();
    let mut found = cookies.filter_map(|cookie| {
        let text = cookie.to_str().ok()?;
        let (name, value) = text.split(';').next()?.split_once('=')?;
        (name.trim() == "session").then_some((text, value))
    });
    let (cookie, token) = found
        .next()
        .and_then(|(text, value)| Some((SetCookie::new(text), Token::from_cookie(value)?)))
        .ok_or("there is no session cookie")?;
    json(answer).map(|user| Session { user, token, cookie })
}
