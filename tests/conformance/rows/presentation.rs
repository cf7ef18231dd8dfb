//! The presentation as pictures.

use driver::api::{Conference, PictureRequest, TokenPlace};
use serde_json::Value;

use crate::row::{Told, rows};
use crate::scene::Scene;

rows! { "presentation_jpeg":
    by_header.needs(&["presentation.jpeg"]).fixtures(&["event/presentation_frame"]).unknown_to_v10().wire();
    by_query.needs(&["presentation.jpeg"]).fixtures(&["event/presentation_frame"]).unknown_to_v10().wire();
}

async fn by_header(scene: &mut Scene) -> Told {
    fetched(scene, TokenPlace::Header, &[]).await
}

async fn by_query(scene: &mut Scene) -> Told {
    fetched(scene, TokenPlace::Query, &["--token-in-query"]).await
}

/// Somebody presents, and the caller fetches what it is told of.
async fn fetched(scene: &Scene, token: TokenPlace, more: &[&str]) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);
    other.post_own("take_floor", &Value::Null).await?;
    let picture = PictureRequest {
        token,
        ..PictureRequest::default()
    };
    let file = scene.file("slide.jpeg", "");
    let arguments = ["presentation.jpeg", "--output", &file];

    caller
        .asks(
            async |it: &Conference| it.presentation_jpeg(&picture).await.map(drop),
            &[&arguments[..], more].concat(),
        )
        .await
}
