//! `presentation.jpeg`: the presentation as single pictures.

use infinity::{ConferencePath, Failure, Path, Refusal};

use super::{Access, ApiError};
use crate::http::HttpClient;
use crate::rest::{self, RequestError};

/// The name of the request.
const REQUEST: &str = "presentation.jpeg";

/// How a picture of the presentation is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PictureRequest {
    /// Whether its full size is wanted.
    pub high: bool,
    /// The `id` of the `presentation_frame` event it is for; keeps caches on the way from
    /// answering.
    pub id: Option<String>,
    /// Where the token goes.
    pub token: TokenPlace,
}

/// Where a token travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenPlace {
    /// In the header `token`.
    #[default]
    Header,
    /// In the query, as where no header can be set.
    Query,
}

pub(super) async fn fetch(
    client: &HttpClient,
    access: &Access,
    picture: &PictureRequest,
) -> Result<Vec<u8>, ApiError> {
    let error = |error| ApiError::of(&access.node, REQUEST, error);
    let path = if picture.high {
        ConferencePath::PresentationHighJpeg
    } else {
        ConferencePath::PresentationJpeg
    };
    let path = Path::conference(&access.conference, path);
    let mut url = rest::api_url(&access.node, &path.encode());
    if let Some(id) = &picture.id {
        url.query_pairs_mut().append_pair("id", id);
    }
    if picture.token == TokenPlace::Query {
        url.query_pairs_mut()
            .append_pair("token", access.token.expose());
    }
    let mut request = client
        .request(reqwest::Method::GET, url)
        .map_err(|why| error(RequestError::Unreachable(why)))?;
    if picture.token == TokenPlace::Header {
        request = request.header("token", rest::token_header(&access.token));
    }
    let (code, body) = rest::fetch(request, rest::PICTURE_LIMIT)
        .await
        .map_err(error)?;
    if !(200..300).contains(&code) {
        let refusal = Refusal::decode(code, &body);
        return Err(error(RequestError::Answered(Failure::Refused(refusal))));
    }
    // JPEG (ITU-T T.81, B.1.1.3) begins with a start of image.
    if !body.starts_with(&[0xff, 0xd8]) {
        return Err(infinity::Malformed {
            request: REQUEST,
            detail: "it is no JPEG picture".to_owned(),
        }
        .into());
    }
    Ok(body)
}
