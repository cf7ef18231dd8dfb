//! `standin api presentation.jpeg`: the presentation as a picture in a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use driver::api::{PictureRequest, TokenPlace};
use serde_json::json;

use super::access::AccessArgs;
use super::ask;
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

const AFTER_HELP: &str = "\
Example, a picture at each change:
  standin api events --only presentation_frame --token-file meet.token |
    while read -r frame; do standin api presentation.jpeg --output slide.jpeg --token-file meet.token; done";

/// What `presentation.jpeg` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct PictureArgs {
    /// Where the picture goes; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Fetch it at its full size (presentation_high.jpeg)
    #[arg(long)]
    high: bool,

    /// The id of the event it is for
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Send the token in the address instead of in a header, as browsers must; logs of proxies may
    /// then show it
    #[arg(long)]
    token_in_query: bool,
}

pub(super) async fn picture(
    args: PictureArgs,
    access: AccessArgs,
    form: Form,
) -> Result<Exit, Failure> {
    let request = PictureRequest {
        high: args.high,
        id: args.id,
        token: if args.token_in_query {
            TokenPlace::Query
        } else {
            TokenPlace::Header
        },
    };
    ask::with_token(access, move |conference, _| async move {
        let picture = conference
            .presentation_jpeg(&request)
            .await
            .map_err(ask::failed)?;
        if args.output == Path::new("-") {
            let mut out = std::io::stdout().lock();
            return out
                .write_all(&picture)
                .and_then(|()| out.flush())
                .map(|()| Exit::Done)
                .map_err(Failure::failed);
        }
        let shown = args.output.display();
        std::fs::write(&args.output, &picture)
            .map_err(|error| Failure::failed(format!("cannot write {shown}: {error}")))?;
        match form {
            Form::Text => print::line(format_args!("{} bytes in {shown}", picture.len())),
            Form::Json => print::json(&json!({
                "bytes": picture.len(),
                "file": args.output,
            })),
        }
        Ok(Exit::Done)
    })
    .await
}
