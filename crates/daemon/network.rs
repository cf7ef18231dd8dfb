//! How media uses the network: the flags of `join` and `announce`.

use std::net::IpAddr;

use clap::Args;
use driver::{Dscp, Network, PortRange};

/// How media uses the network, as written on the command line.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Local address for media, instead of all that lead to the node; may be given more than once
    #[arg(long = "media-address", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,

    /// UDP ports that media may use, such as 40000-40100; each participant takes one an address
    #[arg(long = "media-ports", value_name = "FIRST-LAST")]
    ports: Option<PortRange>,

    /// Mark outgoing media: ef, af41, cs5 or 0 to 63. Sound and picture share a socket, and so one
    /// marking
    #[arg(long, value_name = "DSCP")]
    dscp: Option<Dscp>,
}

impl From<NetworkArgs> for Network {
    fn from(args: NetworkArgs) -> Self {
        Self {
            impairment: None,
            inbound_impairment: None,
            relay_only: false,
            addresses: args.addresses,
            ports: args.ports,
            dscp: args.dscp,
        }
    }
}
