//! Pictures of the screen for other programs (wlr-screencopy): grim, wayvnc, recorders.

use gde_raster::Pixmap;
use smithay::output::Output;
use smithay::reexports::wayland_protocols_wlr::screencopy::v1::server::{
    zwlr_screencopy_frame_v1::{self, Flags, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::{self, ZwlrScreencopyManagerV1},
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::{wl_buffer::WlBuffer, wl_shm};
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource};
use smithay::utils::{Physical, Rectangle};
use smithay::wayland::shm::with_buffer_contents_mut;

use crate::state::{ClientState, Gde};

/// The part of a screen that a frame is to show; nothing where it cannot.
#[derive(Debug)]
pub struct FrameData(Option<(Output, Rectangle<i32, Physical>)>);

/// Offers the protocol to clients that are in no sandbox.
pub fn create_global(display: &DisplayHandle) {
    display.create_global::<Gde, ZwlrScreencopyManagerV1, ()>(3, ());
}

impl GlobalDispatch<ZwlrScreencopyManagerV1, ()> for Gde {
    fn bind(_: &mut Gde, _: &DisplayHandle, _: &Client, resource: New<ZwlrScreencopyManagerV1>, _: &(), init: &mut DataInit<'_, Gde>) {
        init.init(resource, ());
    }

    fn can_view(client: Client, _: &()) -> bool {
        client.get_data::<ClientState>().is_none_or(|state| state.security_context.is_none())
    }
}

impl Dispatch<ZwlrScreencopyManagerV1, ()> for Gde {
    fn request(
        _: &mut Gde,
        _: &Client,
        _: &ZwlrScreencopyManagerV1,
        request: zwlr_screencopy_manager_v1::Request,
        _: &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Gde>,
    ) {
        use zwlr_screencopy_manager_v1::Request;
        let (frame, output, region) = match request {
            Request::CaptureOutput { frame, output, .. } => (frame, output, None),
            Request::CaptureOutputRegion { frame, output, x, y, width, height, .. } => {
                (frame, output, Some(Rectangle::new((x, y).into(), (width.max(0), height.max(0)).into())))
            }
            _ => return,
        };
        let part = Output::from_resource(&output).and_then(|output| {
            let size = output.current_mode()?.size;
            let all = Rectangle::from_size(size);
            let region = match region {
                Some(region) => Rectangle::<i32, smithay::utils::Logical>::to_f64(region).to_physical(output.current_scale().fractional_scale()).to_i32_round().intersection(all)?,
                None => all,
            };
            (!region.is_empty()).then_some((output, region))
        });
        let frame = init.init(frame, FrameData(part.clone()));
        match part {
            Some((_, region)) => {
                let (w, h) = (region.size.w as u32, region.size.h as u32);
                frame.buffer(wl_shm::Format::Xrgb8888, w, h, w * 4);
                if frame.version() >= 3 {
                    frame.buffer_done();
                }
            }
            None => frame.failed(),
        }
    }
}

impl Dispatch<ZwlrScreencopyFrameV1, FrameData> for Gde {
    fn request(
        gde: &mut Gde,
        _: &Client,
        frame: &ZwlrScreencopyFrameV1,
        request: zwlr_screencopy_frame_v1::Request,
        data: &FrameData,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Gde>,
    ) {
        use zwlr_screencopy_frame_v1::Request;
        let (buffer, tells_damage) = match request {
            Request::Copy { buffer } => (buffer, false),
            Request::CopyWithDamage { buffer } => (buffer, true),
            _ => return,
        };
        let Some((output, region)) = &data.0 else { return };
        let picture = if gde.lock.is_locked { None } else { gde.picture_of(output, false) };
        let Some(picture) = picture else {
            frame.failed();
            return;
        };
        match copy(&picture, *region, &buffer) {
            Ok(()) => {
                frame.flags(Flags::empty());
                if tells_damage {
                    frame.damage(0, 0, region.size.w as u32, region.size.h as u32);
                }
                let now = gde.clock.now();
                frame.ready((now.as_secs() >> 32) as u32, now.as_secs() as u32, now.subsec_nanos());
            }
            Err(problem) => frame.post_error(zwlr_screencopy_frame_v1::Error::InvalidBuffer, problem),
        }
    }

    fn destroyed(_: &mut Gde, _: ClientId, _: &ZwlrScreencopyFrameV1, _: &FrameData) {}
}

/// Copies a part of a picture into a client's buffer of exactly that size.
fn copy(picture: &Pixmap, region: Rectangle<i32, Physical>, buffer: &WlBuffer) -> Result<(), &'static str> {
    with_buffer_contents_mut(buffer, |pool, len, data| {
        if !matches!(data.format, wl_shm::Format::Xrgb8888 | wl_shm::Format::Argb8888) {
            return Err("the format is not the announced one");
        }
        if (data.width, data.height) != (region.size.w, region.size.h) || data.stride < data.width * 4 || data.offset < 0 {
            return Err("the size is not the announced one");
        }
        let (offset, stride) = (data.offset as usize, data.stride as usize);
        if offset + stride * data.height as usize > len {
            return Err("the buffer does not lie within its pool");
        }
        for row in 0..region.size.h as usize {
            let from = (region.loc.y as usize + row) * picture.width() + region.loc.x as usize;
            let Some(pixels) = picture.pixels().get(from..from + region.size.w as usize) else { return Err("the screen has another size now") };
            // SAFETY: the row lies within the pool, as was checked above; the pool is no memory of ours.
            unsafe { std::ptr::copy_nonoverlapping(pixels.as_ptr().cast::<u8>(), pool.add(offset + row * stride), pixels.len() * 4) };
        }
        Ok(())
    })
    .unwrap_or(Err("the buffer is not shared memory"))
}
