//! The settings for codes sent by SMS.

use secrecy::SecretString;

use super::reader::Reader;
use crate::values::phone::Region;

/// The settings for codes sent by SMS.
#[derive(Debug, Clone)]
pub struct Sms {
    /// The account at the SMS service. Without one, text messages are written to files.
    pub twilio: Option<TwilioAccount>,
    /// The regions to whose phone numbers codes are sent. If empty, codes are sent only to the default region.
    pub regions: Vec<Region>,
}

/// An account at Twilio with a Verify service.
#[derive(Debug, Clone)]
pub struct TwilioAccount {
    /// The id of the account.
    pub account_sid: String,
    /// The secret of the account.
    pub auth_token: SecretString,
    /// The id of the Verify service.
    pub verify_sid: String,
    /// The URL of Twilio's Verify API.
    pub base_url: String,
}

impl Sms {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let regions = reader.parsed("SMS_REGIONS", Vec::new(), "country codes such as IN,NP", |text| {
            text.split(',').map(|region| region.trim().parse().ok()).collect()
        });
        Self { twilio: twilio(reader), regions }
    }

    /// Reports a missing account. In production, nobody would read the codes from the files.
    pub(super) fn check_production(&self, reader: &mut Reader) {
        if self.twilio.is_none() {
            reader.problem("TWILIO_ACCOUNT_SID", "is required in production: codes can't be sent by writing files");
        }
    }
}

/// Reads the account. Reports a problem if only some of its three variables are set.
fn twilio(reader: &mut Reader) -> Option<TwilioAccount> {
    let base_url = reader.parsed("TWILIO_BASE_URL", "https://verify.twilio.com".to_owned(), "a URL", |text| {
        (text.starts_with("https://") || text.starts_with("http://")).then(|| text.to_owned())
    });
    let names = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_VERIFY_SID"];
    let values = names.map(|name| reader.text(name));
    if values.iter().all(Option::is_none) {
        return None;
    }
    for (name, _) in names.iter().zip(&values).filter(|(_, value)| value.is_none()) {
        reader.problem(name, "is missing: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_VERIFY_SID belong together");
    }
    let [account_sid, auth_token, verify_sid] = values.map(Option::unwrap_or_default);
    Some(TwilioAccount { account_sid, auth_token: auth_token.into(), verify_sid, base_url })
}
