//! One order, from the name to the certificate (RFC 8555, 7.4).

use super::trouble::Trouble;
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus, Problem, RetryPolicy,
};
use provost_core::secret::Secret;
use provost_pki::authority::{ServerKeyKind, SigningRequest};
use provost_web::phones::{Challenges, OpenChallenge};
use std::sync::Arc;
use std::time::Duration;

/// How long an authority may be busy with one thing.
pub(super) const POLL_DEADLINE: Duration = Duration::from_secs(90);
/// An authority asks from several places, and signs within seconds; this is for one that is busy.
const POLL: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(POLL_DEADLINE);

/// What came.
pub(super) struct Issued {
    /// PEM, the server's own first.
    pub(super) chain: String,
    pub(super) key: Secret,
}

/// Orders a certificate for `names` and proves that they lead here.
pub(super) async fn prove(account: &Account, names: &[String], challenges: &Arc<Challenges>) -> Result<Order, Trouble> {
    let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let open = open_challenges(&mut order, challenges).await?;
    let ready = order.poll_ready(&POLL).await;
    drop(open);
    match ready {
        Ok(OrderStatus::Ready) => Ok(order),
        ended => Err(why_not(&mut order, ended).await),
    }
}

/// A key of this kind and the request for it to be certified, in which the authority looks for `names`.
pub(super) async fn request(names: &[String], kind: ServerKeyKind) -> Result<SigningRequest, Trouble> {
    let names = names.to_vec();
    // Making an RSA key takes a tenth of a second, which no phone should wait for.
    Ok(tokio::task::spawn_blocking(move || SigningRequest::generate(&names, kind)).await??)
}

/// Sends the request in and fetches what is made of it.
pub(super) async fn fetch(mut order: Order, request: SigningRequest) -> Result<Issued, Trouble> {
    let fetched = async {
        order.finalize_csr(&request.der).await?;
        order.poll_certificate(&POLL).await
    };
    match fetched.await {
        Ok(chain) => Ok(Issued { chain, key: request.key_pem }),
        // It said itself that it made none.
        Err(Error::Api(problem)) => Err(Trouble::Refused(problem)),
        Err(error) => Err(Trouble::Unfetched(Box::new(error.into()))),
    }
}

/// Answers what the authority will ask for, as long as what is returned lives.
async fn open_challenges(order: &mut Order, challenges: &Arc<Challenges>) -> Result<Vec<OpenChallenge>, Trouble> {
    let mut open = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Pending => {}
            // From an order before this one.
            AuthorizationStatus::Valid => continue,
            _ => return Err(Trouble::Ended("refused before anything was asked")),
        }
        let mut challenge = authorization.challenge(ChallengeType::Http01).ok_or(Trouble::NoHttpChallenge)?;
        open.push(challenges.open(challenge.token.clone(), challenge.key_authorization().as_str().to_owned()));
        challenge.set_ready().await?;
    }
    Ok(open)
}

/// The challenge's own problem where it has one: the order's says only that some challenge failed.
async fn why_not(order: &mut Order, ended: Result<OrderStatus, instant_acme::Error>) -> Trouble {
    if let Ok(Some((host, problem))) = challenge_problem(order).await {
        return Trouble::Challenge { host, problem };
    }
    match ended {
        Ok(OrderStatus::Invalid) => Trouble::Ended("invalid"),
        Ok(_) => Trouble::Ended("neither ready nor invalid"),
        Err(error) => error.into(),
    }
}

async fn challenge_problem(order: &mut Order) -> Result<Option<(String, Problem)>, instant_acme::Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.clone()) {
            return Ok(Some((state.identifier().to_string(), problem)));
        }
    }
    Ok(None)
}
