//! One conference of a node: its alias and who may come in.

use std::str::FromStr;

use infinity::{ConferenceAlias, Pin, ReceptionKind};

use crate::fault::{Fault, Faults};
use crate::settings::SettingsError;

/// Who may come in as a guest of a conference that has a host PIN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Guests {
    /// Nobody: everyone needs the host PIN.
    #[default]
    Nobody,
    /// Whoever knows this PIN.
    WithPin(Pin),
    /// Everybody, with `pin: none`.
    WithoutPin,
}

/// What an alias leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// A conference.
    #[default]
    Conference,
    /// A Virtual Reception: callers say which conference of the node they want, and know its PIN if it
    /// has one.
    Reception(ReceptionKind),
    /// A gateway: each caller has a call of its own to one far end, at this destination. What it
    /// does follows from how the destination begins, as with `dial`.
    Gateway(String),
}

/// A conference before it begins, or a Virtual Reception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceSettings {
    /// The alias people dial, and the conference's name; compared without regard to case.
    pub alias: ConferenceAlias,
    /// Further aliases that lead to the same.
    pub aliases: Vec<ConferenceAlias>,
    /// The PIN of hosts; without one everyone is a host.
    pub host_pin: Option<Pin>,
    /// Who may be a guest; has a meaning beside a host PIN alone.
    pub guests: Guests,
    /// What the alias leads to.
    pub service: Service,
    /// So many participants and no more; as many as the node takes where it is not set.
    pub participant_limit: Option<usize>,
    /// What goes wrong here besides what goes wrong on the whole node.
    pub faults: Faults,
}

impl ConferenceSettings {
    /// A conference that takes everyone as a host.
    pub fn open(alias: ConferenceAlias) -> Self {
        Self {
            alias,
            aliases: Vec::new(),
            host_pin: None,
            guests: Guests::Nobody,
            service: Service::Conference,
            participant_limit: None,
            faults: Faults::none(),
        }
    }

    /// Whether this is the conference meant by `alias`.
    pub fn is_called(&self, alias: &str) -> bool {
        let alias = alias.to_lowercase();
        self.all_aliases()
            .any(|one| one.as_str().to_lowercase() == alias)
    }

    /// Returns every alias that leads here.
    pub fn all_aliases(&self) -> impl Iterator<Item = &ConferenceAlias> {
        std::iter::once(&self.alias).chain(&self.aliases)
    }
}

/// Reads `ALIAS[,alias=ALIAS]…[,pin=PIN][,guest_pin=PIN|none][,limit=N][,fault=FAULT]…`,
/// `ALIAS,reception=standard|mssip[,pin=PIN]` or `ALIAS,gateway=DESTINATION`.
impl FromStr for ConferenceSettings {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let mut parts = text.split(',');
        let alias = parts.next().unwrap_or_default().trim();
        let wrong = |why: String| SettingsError::Conference {
            alias: alias.to_owned(),
            why,
        };
        let mut conference = Self::open(alias.parse().map_err(|error| wrong(format!("{error}")))?);
        for part in parts {
            match part
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()))
            {
                Some(("pin" | "guest_pin", "")) => {
                    return Err(wrong("a PIN in it is empty".to_owned()));
                }
                Some(("pin", pin)) => conference.host_pin = Some(Pin::new(pin)),
                Some(("guest_pin", "none")) => conference.guests = Guests::WithoutPin,
                Some(("guest_pin", pin)) => conference.guests = Guests::WithPin(Pin::new(pin)),
                Some(("reception", "standard")) => {
                    conference.service = Service::Reception(ReceptionKind::Standard);
                }
                Some(("reception", "mssip")) => {
                    conference.service = Service::Reception(ReceptionKind::Mssip);
                }
                Some(("reception", _)) => {
                    return Err(wrong("a reception is standard or mssip".to_owned()));
                }
                Some(("alias", other)) => {
                    let other = other.parse().map_err(|error| wrong(format!("{error}")))?;
                    conference.aliases.push(other);
                }
                Some(("gateway", "")) => {
                    return Err(wrong("a gateway has a destination".to_owned()));
                }
                Some(("gateway", destination)) => {
                    conference.service = Service::Gateway(destination.to_owned());
                }
                Some(("limit", limit)) => match limit.parse() {
                    Ok(limit) if limit > 0 => conference.participant_limit = Some(limit),
                    _ => return Err(wrong("its limit is no number from 1".to_owned())),
                },
                Some(("fault", name)) => {
                    let fault: Fault = name.parse().map_err(|error| wrong(format!("{error}")))?;
                    if !fault.fits_a_conference() {
                        let why = format!("{fault} is a fault of the whole node: --fault {fault}");
                        return Err(wrong(why));
                    }
                    conference.faults.insert(fault);
                }
                Some((key, _)) => return Err(wrong(format!("it knows no {key:?}"))),
                // What stands here may be a PIN: it is not repeated.
                None => return Err(wrong("a part of it is not KEY=VALUE".to_owned())),
            }
        }
        conference.check()?;
        Ok(conference)
    }
}

impl ConferenceSettings {
    /// Checks what the types cannot.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let is_gateway = matches!(self.service, Service::Gateway(_));
        let wants_more = self.participant_limit.is_some()
            || self.guests != Guests::Nobody
            || (self.host_pin.is_some() && is_gateway);
        let why = match (&self.host_pin, &self.guests) {
            (None, Guests::WithPin(_) | Guests::WithoutPin) => {
                "without a host PIN everyone is a host: a guest PIN needs pin= beside it"
            }
            (Some(host), _) if host.is_none() => {
                "\"none\" is how a guest says that it has no PIN, and no PIN itself"
            }
            (Some(host), Guests::WithPin(guest)) if host == guest => {
                "hosts and guests cannot be told apart: their PINs are the same"
            }
            _ if self.service != Service::Conference && wants_more => {
                "only a conference has guests and a limit: a reception has one PIN at most, and leads to those that have; a gateway leads to a far end and has none"
            }
            _ => return Ok(()),
        };
        Err(SettingsError::Conference {
            alias: self.alias.to_string(),
            why: why.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ConferenceSettings {
        text.parse().expect("a good conference")
    }

    #[test]
    fn faults_of_one_conference_are_read() {
        let faults = read("meet,fault=dtls-stalled,fault=refuse=licences").faults;
        assert!(faults.has(Fault::DtlsStalled) && faults.excuse().is_some());
        for wrong in ["meet,fault=bad-gateway", "meet,fault=noise"] {
            let error = wrong.parse::<ConferenceSettings>();
            assert!(error.is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_forms_are_read() {
        assert_eq!(
            read("meet"),
            ConferenceSettings::open("meet".parse().expect("an alias"))
        );
        let both = read("alice@example.com, pin=12, guest_pin=34");
        assert_eq!(both.host_pin, Some(Pin::new("12")));
        assert_eq!(both.guests, Guests::WithPin(Pin::new("34")));
        assert_eq!(read("meet,pin=1,guest_pin=none").guests, Guests::WithoutPin);
        assert!(read("Meet").is_called("mEET"));
        assert_eq!(
            read("echo,gateway=sip:echo@example.com").service,
            Service::Gateway("sip:echo@example.com".to_owned())
        );
        let two = read("meet,alias=meet@example.com,alias=7000,pin=1");
        assert!(
            ["MEET", "meet@example.com", "7000"]
                .iter()
                .all(|a| two.is_called(a))
        );
        assert!(!two.is_called("meet@example"));
        assert_eq!(
            read("desk,reception=mssip").service,
            Service::Reception(ReceptionKind::Mssip)
        );
        let reception = read("desk,reception=standard,pin=4711");
        assert_eq!(reception.host_pin, Some(Pin::new("4711")));
        assert_eq!(read("meet,limit=2").participant_limit, Some(2));
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_repeating_a_pin() {
        for text in [
            "",
            "meet,pin=",
            "meet,guest_pin=none",
            "meet,pin=1,guest_pin=1",
            "meet,4711",
            "meet,pim=4711",
            "meet,limit=0",
            "desk,reception=other",
            "desk,reception=standard,pin=4711,guest_pin=none",
            "desk,reception=standard,pin=4711,limit=2",
            "echo,gateway=",
            "echo,gateway=echo,pin=4711",
            "meet,alias=",
        ] {
            let error = text
                .parse::<ConferenceSettings>()
                .expect_err(text)
                .to_string();
            assert!(!error.contains("4711"), "{error}");
        }
    }
}
