//! What a caller is told before it starts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use infinity::{ConferenceAlias, Pin, Token};
use media::{Codec, Kind, RecordSettings};
use peer::{Dscp, Impairment, PortRange};

use crate::{FrameQueue, Gauge, HttpClient, Material, NodeAddress, SinkSpec};

/// What a caller plays once it is in the conference.
#[derive(Debug, Clone, Default)]
pub enum Program {
    /// Silence and a slate; for listeners.
    #[default]
    Idle,
    /// The clip, once, from its first sample; silence and the slate after it.
    Once(Arc<Material>),
    /// The clip, over and over, until stopped.
    Loop(Arc<Material>),
}

impl Program {
    /// Returns what is to be played, if anything.
    pub fn material(&self) -> Option<&Arc<Material>> {
        match self {
            Self::Idle => None,
            Self::Once(material) | Self::Loop(material) => Some(material),
        }
    }
}

/// What a caller does when it lost the conference without having been sent away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rejoin {
    /// It ends, with the reason.
    #[default]
    Never,
    /// It joins again, waiting `first`, then twice as long each time up to `longest`, spread by
    /// chance. A PIN that is wrong and a removal by a host end it all the same.
    Always {
        /// The first pause.
        first: Duration,
        /// No pause is longer than this.
        longest: Duration,
    },
}

impl Rejoin {
    /// The policy of a bot: from half a second up to half a minute.
    pub const BOT: Self = Self::Always {
        first: Duration::from_millis(500),
        longest: Duration::from_secs(30),
    };
}

/// How media uses the network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Network {
    /// The local addresses to use; none named, those that lead to the node.
    pub addresses: Vec<IpAddr>,
    /// The local UDP ports to use, one for each address; `None` for any.
    pub ports: Option<PortRange>,
    /// How outgoing media is marked. Sound and picture share one socket, and so one marking.
    pub dscp: Option<Dscp>,
    /// What is wrong with the link on purpose, towards the node.
    pub impairment: Option<Impairment>,
    /// What is wrong with the link on purpose, from the node.
    pub inbound_impairment: Option<Impairment>,
    /// Whether media goes through a TURN server alone, even where the node does not ask for that.
    pub relay_only: bool,
}

/// Everything a caller needs to know; made by [`CallerSettings::new`], then adjusted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallerSettings {
    /// The HTTP client; one for a process, cloned for each caller.
    pub client: HttpClient,
    /// The Conferencing Nodes to try, in this order and round again.
    pub nodes: Vec<NodeAddress>,
    /// The conference to join.
    pub conference: ConferenceAlias,
    /// The name in the roster.
    pub display_name: String,
    /// The PIN; without one, the caller asks to be let in as a guest who has none.
    pub pin: Option<Pin>,
    /// The conference that a Virtual Reception shall connect to, if one is found at the alias.
    pub conference_extension: Option<String>,
    /// A one-time token to join with the first time; it stands for the PIN.
    pub one_time_token: Option<Token>,
    /// Whether there is a call at all; without one, the caller is in the conference as soon as the
    /// roster shows it, and nothing is played, heard or seen.
    pub media: bool,
    /// How media uses the network.
    pub network: Network,
    /// What is played.
    pub program: Program,
    /// Whether the program waits for [`crate::Caller::play`]; silence and slate flow until then.
    pub hold: bool,
    /// Whether the call has video at all.
    pub video: bool,
    /// The video codecs offered, best first; see [`Material::video_codecs`].
    pub video_codecs: Vec<Codec>,
    /// Whether sound and picture of the others are wanted; a sender alone saves the node work.
    pub listen: bool,
    /// The files for what is heard and seen; codecs that they cannot hold are not offered.
    pub record: Option<RecordSettings>,
    /// Who else gets what is heard and seen; codecs that their containers cannot hold are not offered.
    pub sinks: Vec<SinkSpec>,
    /// Where every whole frame goes that came in, for whoever decodes them; when the queue is full,
    /// frames are left out.
    pub frames: Option<FrameQueue>,
    /// What happens after a loss of the conference.
    pub rejoin: Rejoin,
    /// How long one waits to be let in by a host; `None` waits as long as the node does.
    pub waiting_room_limit: Option<Duration>,
    /// How long hanging up and releasing the token may take together.
    pub leave_limit: Duration,
    /// How often [`crate::NoticeKind::Figures`] are told, and requests with them; `None` for never.
    pub figures: Option<Duration>,
    /// Whether figures tell how loud what comes is, for which sound is decoded.
    pub levels: bool,
    /// How often [`crate::NoticeKind::Stats`] are told, for which what comes in is decoded; `None`
    /// for never.
    pub stats: Option<Duration>,
    /// Who is told of every frame that is sent.
    pub gauge: Option<Arc<dyn Gauge>>,
    /// Seed of all chance, for runs that can be repeated; `None` takes one from the system.
    pub seed: Option<u64>,
}

impl CallerSettings {
    /// Returns settings for a listener with every other choice at its default.
    pub fn new(
        client: HttpClient,
        node: impl Into<NodeAddress>,
        conference: ConferenceAlias,
        display_name: impl Into<String>,
    ) -> Self {
        Self {
            client,
            nodes: vec![node.into()],
            conference,
            display_name: display_name.into(),
            pin: None,
            conference_extension: None,
            one_time_token: None,
            media: true,
            network: Network::default(),
            program: Program::Idle,
            hold: false,
            video: true,
            video_codecs: Codec::VIDEO.to_vec(),
            listen: true,
            record: None,
            sinks: Vec::new(),
            frames: None,
            rejoin: Rejoin::Never,
            waiting_room_limit: None,
            leave_limit: Duration::from_secs(5),
            figures: None,
            levels: false,
            stats: None,
            gauge: None,
            seed: None,
        }
    }

    /// Returns the video codecs to offer: of those set, what a recording of pictures and the containers
    /// that sinks get can all hold.
    pub fn offered_video_codecs(&self) -> Vec<Codec> {
        let recorded = self.record.as_ref().and_then(|to| to.container().ok());
        let passed_on = self.sinks.iter().filter_map(SinkSpec::container);
        let containers: Vec<_> = recorded.into_iter().chain(passed_on).collect();
        let is_held = |codec: &Codec| {
            let mut containers = containers.iter();
            containers.all(|to| !to.takes(Kind::Video) || to.holds(*codec))
        };
        let offered = self.video_codecs.iter().copied();
        offered.filter(is_held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_a_recording_nothing_is_offered_that_it_cannot_hold() {
        let mut settings = crate::scripted::settings("http://127.0.0.1".parse().expect("a URL"));
        assert_eq!(settings.offered_video_codecs(), Codec::VIDEO);
        let mut offered_beside = |file: &str| {
            settings.record = Some(RecordSettings::new(file));
            settings.offered_video_codecs()
        };
        assert_eq!(
            offered_beside("heard.webm"),
            [Codec::Vp8, Codec::Vp9, Codec::Av1]
        );
        assert_eq!(
            offered_beside("heard.mp4"),
            [Codec::Vp9, Codec::H264, Codec::Av1]
        );
        // Matroska holds all of them, and where no picture is recorded any will do.
        assert_eq!(offered_beside("heard.mkv"), Codec::VIDEO);
        assert_eq!(offered_beside("heard.ogg"), Codec::VIDEO);
    }
    #[test]
    fn beside_a_sink_nothing_is_offered_that_it_cannot_hold() {
        let mut settings = crate::scripted::settings("http://127.0.0.1".parse().expect("a URL"));
        let mut offered_beside = |sinks: &[&str], file: Option<&str>| {
            let sinks = sinks.iter().map(|sink| sink.parse().expect("a sink"));
            settings.sinks = sinks.collect();
            settings.record = file.map(RecordSettings::new);
            settings.offered_video_codecs()
        };
        let of_webm = [Codec::Vp8, Codec::Vp9, Codec::Av1];
        assert_eq!(offered_beside(&["exec:webm:cat"], None), of_webm);
        assert_eq!(offered_beside(&["exec:ivf:cat"], None), of_webm);
        for sink in [
            "exec:mkv:cat",
            "exec:ogg:cat",
            "exec:cat",
            "speaker",
            "null",
        ] {
            assert_eq!(offered_beside(&[sink], None), Codec::VIDEO, "{sink}");
        }
        let of_both = [Codec::Vp9, Codec::Av1];
        let sinks = ["null", "exec:webm:cat"];
        assert_eq!(offered_beside(&sinks, Some("heard.mp4")), of_both);
    }
}
