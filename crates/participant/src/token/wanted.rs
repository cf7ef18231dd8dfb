//! What a node wants before it grants a token, and what of it we have.

use infinity::{Pin, PinWanted, Refusal, Token};

use super::TokenMachine;
use crate::{Exit, Options};

/// What a refusal comes to.
#[derive(Debug)]
pub(super) enum Wanted {
    /// It wants nothing that could be given.
    Nothing,
    /// It wants what we have; the next request brings it.
    Given,
    /// It does not want the one-time token; the next request goes without.
    WithoutToken,
    /// It wants what we do not have, or what we gave is wrong.
    Missing(Exit),
}

impl TokenMachine {
    /// Puts what a refusal wants into the next request, if we have it and have not sent it yet.
    ///
    /// A Virtual Reception may want a conference and a PIN at once; a PIN that came without the
    /// conference cannot have been judged.
    pub(super) fn what_is_wanted(&mut self, refusal: &Refusal) -> Wanted {
        match refusal {
            Refusal::PinWanted(pin) => self.pin_is_wanted(*pin),
            Refusal::InvalidPin => self.no_pin_will_do(),
            Refusal::VirtualReception { kind, pin } => {
                let Some(extension) = &self.options.conference_extension else {
                    return Wanted::Missing(Exit::ExtensionWanted {
                        kind: kind.clone(),
                        wants_pin: pin.is_some() && self.options.pin.is_none(),
                    });
                };
                let is_first = self.entrance.extension.is_none();
                self.entrance.extension = Some(extension.clone());
                match pin {
                    _ if is_first && self.entrance.pin.is_some() => Wanted::Given,
                    Some(pin) => self.pin_is_wanted(*pin),
                    None if is_first => Wanted::Given,
                    None => Wanted::Nothing,
                }
            }
            Refusal::InvalidToken if self.entrance.one_time.is_some() => {
                self.entrance.one_time = None;
                self.entrance.pin = self.options.pin.clone();
                Wanted::WithoutToken
            }
            _ => Wanted::Nothing,
        }
    }

    fn pin_is_wanted(&mut self, wanted: PinWanted) -> Wanted {
        self.entrance.pin = match &self.entrance.pin {
            None if self.options.pin.is_some() => self.options.pin.clone(),
            None if !wanted.guest_required => Some(Pin::none()),
            _ => return self.no_pin_will_do(),
        };
        Wanted::Given
    }

    fn no_pin_will_do(&self) -> Wanted {
        Wanted::Missing(if self.options.pin.is_some() {
            Exit::PinWrong
        } else {
            Exit::PinWanted
        })
    }
}

/// Returns the PIN to begin with. A one-time token stands for it, and the conference we are sent to
/// need not be the one whose PIN we know.
pub(super) fn pin_beside(one_time: Option<&Token>, options: &Options) -> Option<Pin> {
    options.pin.clone().filter(|_| one_time.is_none())
}
