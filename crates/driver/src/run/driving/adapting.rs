//! The picture takes no more than the way to the node carries.

use std::sync::Arc;
use std::time::Instant;

use tracing::{info, warn};

use super::Driving;
use crate::pump::PumpCommand;
use crate::run::wakeup::{PeerNews, Wakeup};
use crate::sources::Part;
use crate::{Material, Warning};

impl Driving {
    /// Returns what there is to play.
    pub(super) fn material(&self) -> Option<Arc<Material>> {
        let material = self.settings.program.material();
        material.filter(|_| !self.played).cloned()
    }

    /// Looks whether there is more room for the picture, or less.
    pub(super) fn watch_bandwidth(&mut self, now: Instant) {
        let Some(leg) = &mut self.leg else { return };
        if leg.ladder.poll(now) {
            match leg.ladder.limit() {
                Some(bits) => info!("the picture takes {} kbit/s at most", bits / 1000),
                None => info!("nothing limits the picture any more"),
            }
            self.fit_picture(now);
        }
    }

    /// Opens the picture in an encoding for which there is room.
    pub(super) fn fit_picture(&mut self, now: Instant) {
        let Some(leg) = &self.leg else { return };
        let (limit, id, number) = (leg.ladder.limit(), leg.id, self.program);
        let (Some(material), Some(accepted)) = (self.material(), leg.accepted()) else {
            return;
        };
        if let Some(bits) = limit
            && !std::mem::replace(&mut self.told_narrow, true)
        {
            self.story.warn(now, Warning::Narrow { bits });
        }
        let wakeups = self.wakeups.clone();
        self.shard.handle().spawn_blocking(move || {
            match material.video_unprepared(&accepted) {
                Ok(Some(part)) => {
                    let news = PeerNews::Picture(number, limit, part);
                    // A loop that is gone needs no picture.
                    let _ = wakeups.blocking_send(Wakeup::Peer(id, news));
                }
                Ok(None) => {}
                Err(reason) => warn!("the picture stays as it is: {reason}"),
            }
        });
    }

    /// The picture of program `number` was opened in an encoding within this limit.
    pub(super) fn picture(&mut self, number: u32, limit: Option<u32>, part: Part) {
        let Some(leg) = &mut self.leg else { return };
        if number != self.program || limit != leg.ladder.limit() {
            // Another one is being opened.
            return;
        }
        if let Some(sources) = &mut leg.sources {
            sources.video = Some(part.clone());
            leg.tell_pump(PumpCommand::Picture(part));
        }
    }
}
