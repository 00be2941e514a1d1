//! A browser without JavaScript: it keeps cookies, follows redirects, and sends the forms that it finds in pages.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use bigtix_tests::World;
use reqwest::Method;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use scraper::{ElementRef, Html, Selector};

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // The client under test chooses the same provider of cryptography.
    let _ = bigtix_client::Client::new("http://localhost");
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client without proxies")
});

/// The most redirects in a row.
const REDIRECTS: usize = 5;

/// Somebody's browser.
#[derive(Clone)]
pub(crate) struct Browser {
    url: String,
    cookies: BTreeMap<String, String>,
}

/// What it shows.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Path and query, after redirects.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A form that is filled in.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    action: String,
    fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self::at(&world.shop().run().url)
    }

    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// A browser in which this person is signed in.
    pub(crate) fn of(world: &World, person: &bigtix_tests::Person) -> Self {
        let mut browser = Self::new(world);
        browser.cookies.insert("session".into(), person.token.cookie());
        browser
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.visit(Method::GET, path, &[], &[]).await
    }

    /// Sends a form and shows what it leads to.
    pub(crate) async fn send(&mut self, form: &Filled) -> Page {
        self.visit(Method::POST, &form.action, &form.fields, &[]).await
    }

    /// The same with headers as another site's page would send them, or a browser that says more.
    pub(crate) async fn send_with(&mut self, form: &Filled, headers: &[(&'static str, &str)]) -> Page {
        self.visit(Method::POST, &form.action, &form.fields, headers)
            .await
    }

    async fn visit(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(String, String)],
        headers: &[(&'static str, &str)],
    ) -> Page {
        let (mut method, mut path) = (method, path.to_owned());
        for _ in 0..REDIRECTS {
            let page = self.ask(method, &path, fields, headers).await;
            let Some(next) = page
                .headers
                .get(LOCATION)
                .filter(|_| (300..400).contains(&page.status))
            else {
                return page;
            };
            assert!(matches!(page.status, 303 | 308), "{} to {next:?}", page.status);
            path = next.to_str().expect("a path").to_owned();
            assert!(path.starts_with('/'), "a redirect out of the shop: {path}");
            method = Method::GET;
        }
        panic!("{path} is redirected for ever")
    }

    /// One request, without following where it leads.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(String, String)],
        headers: &[(&'static str, &str)],
    ) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = HTTP.request(method.clone(), format!("{}{path}", self.url));
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if method == Method::POST {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie"));
        }
        let text = answer.text().await.expect("a body");
        Page {
            status,
            path: path.to_owned(),
            headers,
            text,
        }
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie
            .split(';')
            .next()
            .and_then(|pair| pair.split_once('='))
            .expect("a cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn words(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} says {}", self.path, self.text);
        self
    }

    fn html(&self) -> Html {
        Html::parse_document(&self.text)
    }

    /// The words of each element that the selector finds.
    pub(crate) fn all(&self, css: &str) -> Vec<String> {
        self.html().select(&selector(css)).map(words).collect()
    }

    /// The words of the only element that the selector finds.
    #[track_caller]
    pub(crate) fn the(&self, css: &str) -> String {
        let mut all = self.all(css);
        assert_eq!(all.len(), 1, "{css} in {} finds {all:?}", self.path);
        all.remove(0)
    }

    #[track_caller]
    pub(crate) fn attribute(&self, css: &str, name: &str) -> String {
        let html = self.html();
        let element = html
            .select(&selector(css))
            .next()
            .unwrap_or_else(|| panic!("no {css} in {}", self.path));
        element
            .attr(name)
            .unwrap_or_else(|| panic!("no {name} of {css}"))
            .to_owned()
    }

    /// Where the links lead that the selector finds.
    pub(crate) fn links(&self, css: &str) -> Vec<String> {
        let html = self.html();
        let links = selector(css);
        let found = html.select(&links).filter_map(|link| link.attr("href"));
        found.map(str::to_owned).collect()
    }

    pub(crate) fn has(&self, css: &str) -> bool {
        self.html().select(&selector(css)).next().is_some()
    }

    /// The form around the button with these words, as it is sent when the button is pressed.
    #[track_caller]
    pub(crate) fn form(&self, button: &str) -> Filled {
        let html = self.html();
        let buttons = selector("main form button");
        let mut found = html
            .select(&buttons)
            .filter(|element| words(*element).starts_with(button));
        let pressed = found
            .next()
            .unwrap_or_else(|| panic!("no button {button:?} in {}: {}", self.path, self.text));
        let form = pressed
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|element| element.value().name() == "form")
            .expect("the button is in a form");
        assert_eq!(form.attr("method"), Some("post"), "the form of {button:?}");
        let mut fields: Vec<(String, String)> = form
            .select(&selector("input, select, textarea"))
            .filter_map(field)
            .collect();
        if let (Some(name), Some(value)) = (pressed.attr("name"), pressed.attr("value")) {
            fields.push((name.to_owned(), value.to_owned()));
        }
        Filled {
            action: form
                .attr("action")
                .expect("the form says where it goes")
                .to_owned(),
            fields,
        }
    }
}

fn field(element: ElementRef<'_>) -> Option<(String, String)> {
    let name = element.attr("name")?.to_owned();
    let value = match element.value().name() {
        "select" => {
            let options: Vec<_> = element.select(&selector("option")).collect();
            let chosen = options
                .iter()
                .find(|option| option.attr("selected").is_some())
                .or(options.first())?;
            chosen.attr("value")?.to_owned()
        }
        "textarea" => element.text().collect(),
        _ => element.attr("value").unwrap_or_default().to_owned(),
    };
    Some((name, value))
}

impl Filled {
    /// With another value in a field that is there.
    #[track_caller]
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        field.unwrap_or_else(|| panic!("no field {name}")).1 = value.to_string();
        self
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value)
    }
}

impl Page {
    /// Ids are unique, references lead to one, and each field has a label.
    #[track_caller]
    pub(crate) fn is_consistent(&self) {
        let html = self.html();
        let mut ids: Vec<&str> = html
            .select(&selector("[id]"))
            .filter_map(|element| element.attr("id"))
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "ids of {} are not unique", self.path);
        let has = |id: &str| ids.binary_search(&id).is_ok();
        for name in ["for", "aria-describedby", "aria-labelledby"] {
            for element in html.select(&selector(&format!("[{name}]"))) {
                for id in element.attr(name).unwrap_or_default().split_whitespace() {
                    assert!(has(id), "{name}={id} leads nowhere in {}", self.path);
                }
            }
        }
        let labelled: Vec<&str> = html
            .select(&selector("label[for]"))
            .filter_map(|label| label.attr("for"))
            .collect();
        for element in html.select(&selector("input:not([type=hidden]), select, textarea")) {
            let id = element.attr("id").unwrap_or_default();
            assert!(
                labelled.contains(&id),
                "{:?} has no label in {}",
                element.value(),
                self.path
            );
        }
        for element in html.select(&selector("*")) {
            for (name, _) in element.value().attrs() {
                let is_inline = name == "style" || name.starts_with("on");
                assert!(!is_inline, "{name} is inline in {}", self.path);
            }
        }
    }
}

/// Server-sent events as they come.
pub(crate) struct Listening {
    answer: reqwest::Response,
    text: String,
}

impl Browser {
    pub(crate) async fn listen(&self, path: &str) -> Listening {
        let answer = HTTP
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Listening {
            answer,
            text: String::new(),
        }
    }
}

impl Listening {
    /// The next message's data.
    pub(crate) async fn next_state(&mut self) -> serde_json::Value {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let data = message
                    .lines()
                    .find_map(|line| line.strip_prefix("data: "))
                    .map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data {
                    return serde_json::from_str(&data).expect("JSON");
                }
                continue;
            }
            let chunk = self
                .answer
                .chunk()
                .await
                .expect("a stream")
                .expect("more of the stream");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}
