//! People who use a shop through the ingress of a cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bigtix_service::tls::use_ring;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::NODE_ADDRESS;
use crate::world::unique;

const HOST: &str = "bigtix.localhost";
/// How long a copy may take that has to be told anew.
const COPIES: Duration = Duration::from_secs(30);
/// How many purchases, and within what time, show that a shop sells.
const SELLS: (usize, Duration) = (6, Duration::from_secs(30));
/// A card at the Stripe double.
const CARD: &str = "pm_card_visa";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Customer {
    http: Client,
    token: String,
    credentials: Value,
    /// The id of the user.
    pub id: String,
}

impl Customer {
    /// Signs up.
    ///
    /// # Errors
    /// Whatever is not 201.
    pub async fn new() -> Result<Self> {
        use_ring();
        let address = SocketAddr::new(NODE_ADDRESS.parse()?, 80);
        let http = Client::builder()
            .resolve(HOST, address)
            .timeout(Duration::from_secs(30))
            .build()?;
        let credentials = json!({"email": format!("{}@example.com", unique("k")), "password": "Abcdef12"});
        Self::enters(http, credentials, "signup", 201).await
    }

    /// The same person with a new session.
    ///
    /// # Errors
    /// Whatever is not 200.
    pub async fn signs_in(&self) -> Result<Self> {
        Self::enters(self.http.clone(), self.credentials.clone(), "signin", 200).await
    }

    async fn enters(http: Client, credentials: Value, by: &str, expected: u16) -> Result<Self> {
        let answer = http
            .post(format!("http://{HOST}/api/users/{by}"))
            .json(&credentials)
            .send()
            .await?;
        let status = answer.status();
        let cookie = answer
            .headers()
            .get("set-cookie")
            .and_then(|cookie| Some(cookie.to_str().ok()?.split(';').next()?.to_owned()));
        let body = answer.text().await?;
        ensure!(status.as_u16() == expected, "{by}: {status} {body}");
        let body: Value = serde_json::from_str(&body)?;
        Ok(Self {
            http,
            token: cookie.context("a session")?,
            credentials,
            id: body["id"].as_str().context("an id")?.to_owned(),
        })
    }

    /// One request; what is not `expected` is an error.
    ///
    /// # Errors
    /// Another status, or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>, expected: u16) -> Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("http://{HOST}{path}"))
            .header("cookie", &self.token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.with_context(|| format!("{method} {path}"))?;
        ensure!(status == expected, "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Lists a ticket and returns its id.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn lists(&self) -> Result<String> {
        let ticket = json!({"title": "Row K, seat 8", "price": 20});
        id(&self.ask(Method::POST, "/api/tickets", Some(ticket), 201).await?)
    }

    /// Reserves a ticket and returns the order's id.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn reserves(&self, ticket: &str) -> Result<String> {
        id(&self
            .ask(
                Method::POST,
                "/api/orders",
                Some(json!({"ticketId": ticket})),
                201,
            )
            .await?)
    }

    /// Reserves a ticket and pays for it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn buys(&self, ticket: &str) -> Result<String> {
        let order = self.reserves(ticket).await?;
        let payment = json!({"orderId": order, "token": CARD});
        self.ask(Method::POST, "/api/payments", Some(payment), 201)
            .await?;
        ensure!(
            self.status_of(&order).await? == "complete",
            "order {order} is not complete"
        );
        Ok(order)
    }

    /// Waits until a ticket is shown as sold, which a copy tells.
    ///
    /// # Errors
    /// After half a minute; else as [`Self::ask`].
    pub async fn sees_sold(&self, ticket: &str) -> Result<()> {
        let path = format!("/api/tickets/{ticket}");
        let began = Instant::now();
        loop {
            let shown = self.ask(Method::GET, &path, None, 200).await?;
            if shown["status"] == "sold" {
                return Ok(());
            }
            ensure!(
                began.elapsed() < COPIES,
                "ticket {ticket} is sold and shown as {}",
                shown["status"]
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The status of one's own order.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn status_of(&self, order: &str) -> Result<String> {
        let order = self
            .ask(Method::GET, &format!("/api/orders/{order}"), None, 200)
            .await?;
        Ok(order["status"].as_str().unwrap_or_default().to_owned())
    }
}

fn id(answer: &Value) -> Result<String> {
    Ok(answer["id"].as_str().context("an id")?.to_owned())
}

/// What came of buying without a pause.
#[derive(Debug, Default)]
pub struct Purchases {
    /// Orders that are complete.
    pub orders: Vec<String>,
    /// The tickets of those orders.
    pub tickets: Vec<String>,
    /// What was answered to requests that failed.
    pub failures: Vec<String>,
}

/// A buyer who does not stop.
#[derive(Debug)]
pub struct Shopping {
    stop: StopOnDrop,
    task: JoinHandle<Purchases>,
    bought: watch::Receiver<usize>,
    buyer: Customer,
}

/// A scenario that fails half-way leaves nobody behind who buys on and troubles the next ones.
#[derive(Debug)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Shopping {
    /// Begins.
    ///
    /// # Errors
    /// When nobody can sign up.
    pub async fn begin() -> Result<Self> {
        let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, own) = (stop.clone(), buyer.clone());
        let (count, bought) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut purchases = Purchases::default();
            while !stopped.load(Ordering::Relaxed) {
                let bought = async {
                    let ticket = seller.lists().await?;
                    Ok::<_, anyhow::Error>((own.buys(&ticket).await?, ticket))
                };
                match bought.await {
                    Ok((order, ticket)) => {
                        purchases.orders.push(order);
                        purchases.tickets.push(ticket);
                        count.send_replace(purchases.orders.len());
                    }
                    Err(error) => purchases.failures.push(format!("{error:#}")),
                }
            }
            purchases
        });
        let stop = StopOnDrop(stop);
        Ok(Self {
            stop,
            task,
            bought,
            buyer,
        })
    }

    /// Waits until so many more purchases have succeeded that the shop sells, whatever happened to it before.
    ///
    /// # Errors
    /// After half a minute.
    pub async fn goes_on(&mut self) -> Result<()> {
        let (more, patience) = SELLS;
        let before = *self.bought.borrow();
        let sold = self.bought.wait_for(|bought| *bought >= before + more);
        tokio::time::timeout(patience, sold)
            .await
            .with_context(|| format!("less than {more} purchases in {} s", patience.as_secs()))?
            .context("the buyer has gone")?;
        Ok(())
    }

    /// Ends, and looks at every order once more.
    ///
    /// # Errors
    /// When an order that was complete is not any more.
    pub async fn end(self) -> Result<Purchases> {
        let Self {
            stop,
            task,
            bought: _,
            buyer,
        } = self;
        drop(stop);
        let purchases = task.await?;
        for order in &purchases.orders {
            let status = buyer.status_of(order).await?;
            ensure!(status == "complete", "order {order} was complete and is {status}");
        }
        Ok(purchases)
    }
}
