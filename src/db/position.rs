//! Places in change streams.

use mongodb::change_stream::event::ResumeToken;
use serde::{Deserialize, Serialize};

/// A place in a change stream. The stream can be resumed from it later, also by another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub ResumeToken);
