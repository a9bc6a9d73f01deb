// What the Vulkan renderer draws with. Pixels are integers, and are computed as the software renderer does: only the laying over what is
// there, the blending, is the device's.
//
// Textures are storage images: vulkano 0.35 sees what shaders read only of these, and of samplers that are one with their image, which WGSL has
// not. What it does not see read it does not wait for.

// What a draw is told. `plan.rs` writes it, in this order.
struct Draw {
    // Where on the target: x, y, width, height.
    part: vec4<i32>,
    // The target's size.
    screen: vec2<i32>,
    // Pixel for pixel: what is added to a place on the target to get one on the texture. Sampled: the part's corner. Shadow: its corner.
    offset: vec2<i32>,
    // Sampled: how far the next pixel is on the texture, in 16.16. Shadow: its size.
    step: vec2<i32>,
    // The texture's size.
    size: vec2<i32>,
    // Sampled: where in `words` the places of the rows' first pixels are. Shadow: where its table is.
    first: i32,
    // How much of it is seen, 0 to 255.
    alpha: u32,
    // The colour, as ARGB8888.
    colour: u32,
    // Sampled: 0 one pixel, 1 between four, 2 the mean of four. Shadow: over how many pixels it fades.
    mode: i32,
}

var<push_constant> draw: Draw;
@group(0) @binding(0) var texels: texture_storage_2d<r32uint, read>;
@group(1) @binding(0) var<storage, read> words: array<i32>;

@vertex
fn corners(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<i32>(i32(index & 1u), i32(index >> 1u));
    let at = vec2<f32>(draw.part.xy + corner * draw.part.zw);
    return vec4<f32>(at / vec2<f32>(draw.screen) * 2.0 - 1.0, 0.0, 1.0);
}

// Red, green, blue, alpha.
fn channels(pixel: u32) -> vec4<u32> {
    return vec4<u32>(pixel >> 16u, pixel >> 8u, pixel, pixel >> 24u) & vec4<u32>(255u);
}

// `pixel` times `alpha` / 255, rounded.
fn faded(pixel: vec4<u32>, alpha: u32) -> vec4<u32> {
    let t = pixel * alpha + 128u;
    return (t + (t >> vec4<u32>(8u))) >> vec4<u32>(8u);
}

fn output(pixel: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(pixel) / 255.0;
}

@fragment
fn solid() -> @location(0) vec4<f32> {
    return output(channels(draw.colour));
}

// All of its alpha is seen.
@fragment
fn plain(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    return output(channels(textureLoad(texels, vec2<i32>(at.xy) + draw.offset).r));
}

@fragment
fn same(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pixel = textureLoad(texels, vec2<i32>(at.xy) + draw.offset).r;
    return output(faded(channels(pixel), draw.alpha));
}

@fragment
fn shadow(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy) - draw.offset;
    let fade = draw.mode;
    // How far outside of the part that is darkest.
    let outside = max(max(vec2<i32>(fade) - place, place - (draw.step - 1 - fade)), vec2<i32>(0));
    if outside.x > fade || outside.y > fade {
        return vec4<f32>(0.0);
    }
    let dark = u32(words[draw.first + outside.y * (fade + 1) + outside.x]);
    return output(faded(channels(draw.colour), dark));
}

fn texel(x: i32, y: i32) -> u32 {
    return textureLoad(texels, clamp(vec2<i32>(x, y), vec2<i32>(0), draw.size - 1)).r;
}

// Between two pixels; `by` is 0 to 256.
fn mix_pixels(a: u32, b: u32, by: u32) -> u32 {
    let even = ((a & 0xff00ffu) * (256u - by) + (b & 0xff00ffu) * by) >> 8u;
    let odd = ((a >> 8u) & 0xff00ffu) * (256u - by) + ((b >> 8u) & 0xff00ffu) * by;
    return (even & 0xff00ffu) | (odd & 0xff00ff00u);
}

@fragment
fn sampled(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy) - draw.offset;
    let row = draw.first + place.y * 2;
    let x = words[row] + place.x * draw.step.x;
    let y = words[row + 1] + place.x * draw.step.y;
    var pixel: u32;
    if draw.mode == 0 {
        pixel = texel(x >> 16u, y >> 16u);
    } else if draw.mode == 1 {
        let left = x - 0x8000;
        let top = y - 0x8000;
        let bx = u32((left >> 8u) & 255);
        let by = u32((top >> 8u) & 255);
        let column = left >> 16u;
        let line = top >> 16u;
        let upper = mix_pixels(texel(column, line), texel(column + 1, line), bx);
        let lower = mix_pixels(texel(column, line + 1), texel(column + 1, line + 1), bx);
        pixel = mix_pixels(upper, lower, by);
    } else {
        let far = max(abs(draw.step.x), abs(draw.step.y)) / 4;
        let left = (x - far) >> 16u;
        let right = (x + far) >> 16u;
        let upper = (y - far) >> 16u;
        let lower = (y + far) >> 16u;
        let sum = channels(texel(left, upper)) + channels(texel(right, upper)) + channels(texel(left, lower)) + channels(texel(right, lower));
        return output(faded((sum + 2u) >> vec4<u32>(2u), draw.alpha));
    }
    return output(faded(channels(pixel), draw.alpha));
}
