//! Who may come in, and as what.

use infinity::{Pin, PinWanted, Refusal, Role};

use crate::conference_settings::{ConferenceSettings, Guests};

/// Returns the role that `pin` gives.
///
/// | Host PIN | Guests      | no PIN, or `none` | host PIN | guest PIN | another     |
/// |----------|-------------|-------------------|----------|-----------|-------------|
/// | no       | –           | host              | host     | host      | host        |
/// | yes      | nobody      | PIN wanted        | host     | –         | Invalid PIN |
/// | yes      | with PIN    | PIN wanted        | host     | guest     | Invalid PIN |
/// | yes      | without PIN | see below         | host     | –         | Invalid PIN |
///
/// In the last row no PIN at all is answered with what is wanted, and `none` makes a guest.
pub(super) fn role(settings: &ConferenceSettings, pin: Option<&Pin>) -> Result<Role, Refusal> {
    let Some(host_pin) = &settings.host_pin else {
        return Ok(Role::Host);
    };
    let wanted = PinWanted {
        host_required: true,
        guest_required: settings.guests != Guests::WithoutPin,
    };
    match (pin.filter(|pin| !pin.expose().is_empty()), &settings.guests) {
        (None, _) => Err(Refusal::PinWanted(wanted)),
        (Some(pin), Guests::WithoutPin) if pin.is_none() => Ok(Role::Guest),
        (Some(pin), _) if pin.is_none() => Err(Refusal::PinWanted(wanted)),
        (Some(pin), _) if pin == host_pin => Ok(Role::Host),
        (Some(pin), Guests::WithPin(guest_pin)) if pin == guest_pin => Ok(Role::Guest),
        (Some(_), _) => Err(Refusal::InvalidPin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(conference: &str, pin: Option<&str>) -> Result<Role, Refusal> {
        role(
            &conference.parse().expect("a good conference"),
            pin.map(Pin::new).as_ref(),
        )
    }

    fn wanted(guest_required: bool) -> Result<Role, Refusal> {
        Err(Refusal::PinWanted(PinWanted {
            host_required: true,
            guest_required,
        }))
    }

    #[test]
    fn every_cell_of_the_table() {
        for pin in [None, Some("none"), Some("1")] {
            assert_eq!(enter("m", pin), Ok(Role::Host));
        }
        for (guests, guest_required) in [
            ("", true),
            (",guest_pin=2", true),
            (",guest_pin=none", false),
        ] {
            let conference = format!("m,pin=1{guests}");
            assert_eq!(
                enter(&conference, None),
                wanted(guest_required),
                "{conference}"
            );
            assert_eq!(
                enter(&conference, Some("")),
                wanted(guest_required),
                "{conference}"
            );
            assert_eq!(
                enter(&conference, Some("1")),
                Ok(Role::Host),
                "{conference}"
            );
            assert_eq!(
                enter(&conference, Some("3")),
                Err(Refusal::InvalidPin),
                "{conference}"
            );
        }
        assert_eq!(enter("m,pin=1", Some("none")), wanted(true));
        assert_eq!(enter("m,pin=1,guest_pin=2", Some("none")), wanted(true));
        assert_eq!(enter("m,pin=1,guest_pin=2", Some("2")), Ok(Role::Guest));
        assert_eq!(
            enter("m,pin=1,guest_pin=none", Some("none")),
            Ok(Role::Guest)
        );
    }
}
