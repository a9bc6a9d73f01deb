//! What can go wrong with Vulkan.

use vulkano::buffer::AllocateBufferError;
use vulkano::image::AllocateImageError;
use vulkano::sync::HostAccessError;
use vulkano::{LoadingError, Validated, ValidationError, VulkanError};

/// What can go wrong with Vulkan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no loader (`libvulkan.so.1`), or no device that can draw a desktop.
    #[error("{0}")]
    Missing(String),
    /// It cannot draw this frame, but others.
    #[error("{0}")]
    Unsuitable(String),
    /// The device is lost, has no memory left, or does not answer.
    #[error("{0}")]
    Failed(String),
}

impl From<LoadingError> for Error {
    fn from(error: LoadingError) -> Self {
        Error::Missing(format!("no Vulkan loader (libvulkan.so.1): {error}"))
    }
}

/// Errors after which there is no use in going on with the device.
macro_rules! failed {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::Failed(error.to_string())
            }
        })*
    };
}

failed!(VulkanError, Box<ValidationError>, HostAccessError, AllocateBufferError, AllocateImageError);

impl<E: std::error::Error> From<Validated<E>> for Error {
    fn from(error: Validated<E>) -> Self {
        Error::Failed(reason(error))
    }
}

/// What an error says; by itself one of a wrong use says only that it is one.
pub fn reason<E: std::error::Error>(error: Validated<E>) -> String {
    match error {
        Validated::Error(error) => error.to_string(),
        Validated::ValidationError(error) => error.to_string(),
    }
}
