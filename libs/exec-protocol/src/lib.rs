//! Frames of the exec channel.
