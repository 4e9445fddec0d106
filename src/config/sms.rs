//! How codes are sent.

use secrecy::SecretString;

use super::reader::Reader;
use crate::values::phone::Region;

/// How codes are sent.
#[derive(Debug, Clone)]
pub struct Sms {
    /// The SMS service; unset: codes are written to files.
    pub twilio: Option<TwilioAccount>,
    /// Regions whose numbers are sent codes; none stands for the default region.
    pub regions: Vec<Region>,
}

/// An account at Twilio with a Verify service.
#[derive(Debug, Clone)]
pub struct TwilioAccount {
    /// Names the account.
    pub account_sid: String,
    /// Its secret.
    pub auth_token: SecretString,
    /// Names the Verify service.
    pub verify_sid: String,
    /// Where Twilio is, without a final slash.
    pub base_url: String,
}

impl Sms {
    pub(super) fn read(r: &mut Reader) -> Self {
        let regions = r.parsed("SMS_REGIONS", Vec::new(), "country codes such as IN,NP", |text| {
            text.split(',').map(|region| region.trim().parse().ok()).collect()
        });
        Self { twilio: twilio(r), regions }
    }

    /// Nobody reads codes out of files in production.
    pub(super) fn check_production(&self, r: &mut Reader) {
        if self.twilio.is_none() {
            r.problem("TWILIO_ACCOUNT_SID", "is required in production: codes can't be sent by writing files");
        }
    }
}

/// All three of the account's names, or none.
fn twilio(r: &mut Reader) -> Option<TwilioAccount> {
    let base_url = r.parsed("TWILIO_BASE_URL", "https://verify.twilio.com".to_owned(), "a URL", |text| {
        (text.starts_with("https://") || text.starts_with("http://")).then(|| text.to_owned())
    });
    let names = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_VERIFY_SID"];
    let values = names.map(|name| r.text(name));
    if values.iter().all(Option::is_none) {
        return None;
    }
    for (name, _) in names.iter().zip(&values).filter(|(_, value)| value.is_none()) {
        r.problem(name, "is missing: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_VERIFY_SID belong together");
    }
    let [account_sid, auth_token, verify_sid] = values.map(Option::unwrap_or_default);
    Some(TwilioAccount { account_sid, auth_token: auth_token.into(), verify_sid, base_url })
}
