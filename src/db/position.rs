//! A place in a change stream.

use mongodb::change_stream::event::ResumeToken;
use serde::{Deserialize, Serialize};

/// A place in the stream, from which it can be followed later and by others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub ResumeToken);
