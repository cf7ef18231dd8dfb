//! What happened, posted to a web server, signed in the manner of Standard Webhooks
//! (<https://www.standardwebhooks.com>): headers `webhook-id`, the same for every try, `webhook-timestamp`
//! and `webhook-signature`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use ring::hmac;

use super::Happening;
use crate::settings::Posting;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(15);

/// How long is waited before each further try.
pub(super) const PAUSES: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
];

/// Why it was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// Another try may help.
    Yet(String),
    /// Whoever is there does not want any more of them (410).
    Ever(String),
}

/// Returns what posts.
///
/// # Errors
///
/// Fails if TLS cannot be set up.
pub(super) fn client() -> Result<Client, String> {
    // reqwest asks for a provider of cryptography; where there is one already, nothing changes.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(LIMIT)
        // What was signed for one place is not for another.
        .redirect(Policy::none())
        .user_agent(concat!("Standin/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Tries once.
pub(super) async fn post(
    client: &Client,
    to: &Posting,
    happening: &Happening,
) -> Result<(), NotTaken> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let timestamp = since.unwrap_or_default().as_secs().to_string();
    let mut request = client
        .post(to.address.expose().clone())
        .header("content-type", "application/json")
        .header("webhook-id", &happening.id)
        .header("webhook-timestamp", &timestamp);
    if let Some(secret) = &to.secret {
        let signature = signature(secret, &happening.id, &timestamp, &happening.body);
        request = request.header("webhook-signature", signature);
    }
    let answer = request.body(happening.body.clone()).send().await;
    // The address may hold a secret.
    let answer = answer.map_err(|error| NotTaken::Yet(plain(&error.without_url())))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(NotTaken::Ever("410 Gone".to_owned())),
        status => Err(NotTaken::Yet(status.to_string())),
    }
}

/// Returns an error with what is behind it.
fn plain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

fn signature(secret: &hmac::Key, id: &str, timestamp: &str, body: &str) -> String {
    let signed = hmac::sign(secret, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the reference libraries of Standard Webhooks test themselves with.
    #[test]
    fn it_is_signed_as_others_verify() {
        let secret = STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .expect("Base64");
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, id, at, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_ne!(
            signature(&secret, id, "1614265331", body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
